"""Text at rest: only its key and its row open it."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.encryption import Cipher, UnknownKey, Unreadable

FIRST, SECOND = (base64.urlsafe_b64encode(bytes([n]) * 32).decode() for n in (1, 2))


@given(st.text(), st.text())
def test_what_was_encrypted_for_a_row_is_read_for_that_row(text: str, owner: str) -> None:
    cipher = Cipher(FIRST, "cle")
    encrypted = cipher.encrypt(text, owner)
    assert cipher.decrypt(encrypted, owner) == text
    with pytest.raises(Unreadable):
        cipher.decrypt(encrypted, f"{owner}x")


def test_the_same_text_never_looks_the_same() -> None:
    cipher = Cipher(FIRST, "cle")
    assert cipher.encrypt("bonjour", "m1") != cipher.encrypt("bonjour", "m1")


def test_older_keys_decrypt_and_the_first_encrypts() -> None:
    before = Cipher(FIRST, "cle").encrypt("bonjour", "m1")
    both = Cipher(f"{SECOND}, {FIRST}", "cle")
    assert both.decrypt(before, "m1") == "bonjour"
    assert both.encrypt("bonjour", "m1")["cle"] == Cipher(SECOND, "cle").current
    with pytest.raises(UnknownKey):
        Cipher(SECOND, "cle").decrypt(before, "m1")


def test_an_altered_text_is_not_read() -> None:
    cipher = Cipher(FIRST, "cle")
    encrypted = cipher.encrypt("bonjour", "m1")
    content = bytearray(encrypted["contenu"])
    content[-1] ^= 1
    with pytest.raises(Unreadable):
        cipher.decrypt({**encrypted, "contenu": bytes(content)}, "m1")


@pytest.mark.parametrize("keys", ["", " , ", base64.urlsafe_b64encode(b"court").decode()])
def test_a_key_that_cannot_be_right_is_named_at_the_start(keys: str) -> None:
    with pytest.raises(ValueError, match="cle_messages"):
        Cipher(keys, "cle_messages")
