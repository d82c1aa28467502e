"""Text at rest: only its key and its row open it."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.database.encryption import Cipher, UnknownKey, Unreadable

FIRST, SECOND = (base64.urlsafe_b64encode(bytes([n]) * 32).decode() for n in (1, 2))


@given(st.text(), st.text())
def test_ce_qui_est_chiffre_pour_une_ligne_se_lit_pour_elle_seule(text: str, owner: str) -> None:
    cipher = Cipher(FIRST, "cle")
    encrypted = cipher.encrypt(text, owner)
    assert cipher.decrypt(encrypted, owner) == text
    with pytest.raises(Unreadable):
        cipher.decrypt(encrypted, f"{owner}x")


def test_le_meme_texte_chiffre_n_a_jamais_la_meme_forme() -> None:
    cipher = Cipher(FIRST, "cle")
    assert cipher.encrypt("bonjour", "m1") != cipher.encrypt("bonjour", "m1")


def test_les_anciennes_cles_lisent_et_la_premiere_chiffre() -> None:
    before = Cipher(FIRST, "cle").encrypt("bonjour", "m1")
    both = Cipher(f"{SECOND}, {FIRST}", "cle")
    assert both.decrypt(before, "m1") == "bonjour"
    assert both.encrypt("bonjour", "m1")["cle"] == Cipher(SECOND, "cle").current
    with pytest.raises(UnknownKey):
        Cipher(SECOND, "cle").decrypt(before, "m1")


def test_un_texte_altere_n_est_pas_lu() -> None:
    cipher = Cipher(FIRST, "cle")
    encrypted = cipher.encrypt("bonjour", "m1")
    content = bytearray(encrypted["contenu"])
    content[-1] ^= 1
    with pytest.raises(Unreadable):
        cipher.decrypt({**encrypted, "contenu": bytes(content)}, "m1")


@pytest.mark.parametrize("keys", ["", " , ", base64.urlsafe_b64encode(b"court").decode()])
def test_une_cle_impossible_est_nommee_au_demarrage(keys: str) -> None:
    with pytest.raises(ValueError, match="cle_messages"):
        Cipher(keys, "cle_messages")
