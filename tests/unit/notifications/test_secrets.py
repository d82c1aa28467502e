"""What keeps addresses unread and links unforged."""

import base64

import pytest

from services.notifications.contacts.encryption import CleInconnue, ContactCipher, Illisible
from services.notifications.messages.signed_links import Lien, Liens


def cle(octet: int) -> str:
    return base64.urlsafe_b64encode(bytes([octet]) * 32).decode()


def test_une_adresse_ne_s_ouvre_que_pour_sa_personne() -> None:
    coffre = ContactCipher(cle(1))
    ferme = coffre.fermer("a@exemple.fr", "c1")
    assert coffre.ouvrir(ferme, "c1") == "a@exemple.fr"
    assert b"exemple" not in ferme["contenu"]
    with pytest.raises(Illisible):
        coffre.ouvrir(ferme, "c2")
    # A flipped bit always differs; a fixed last byte would be the true one once in 256 runs.
    altere = ferme["contenu"][:-1] + bytes([ferme["contenu"][-1] ^ 1])
    with pytest.raises(Illisible):
        coffre.ouvrir({**ferme, "contenu": altere}, "c1")


def test_apres_un_changement_de_cle_l_ancien_s_ouvre_et_le_neuf_prend_la_nouvelle() -> None:
    ancien, tourne, neuf = ContactCipher(cle(1)), ContactCipher(f"{cle(2)},{cle(1)}"), ContactCipher(cle(2))
    assert tourne.ouvrir(ancien.fermer("a@b.fr", "c"), "c") == "a@b.fr"
    assert neuf.ouvrir(tourne.fermer("a@b.fr", "c"), "c") == "a@b.fr"
    # A hash is looked for under both until all are under the new key; then the old one may go.
    assert ancien.empreinte("A@b.fr ") in tourne.empreintes("a@b.fr")
    assert tourne.empreinte("a@b.fr") == neuf.empreinte("a@b.fr")
    with pytest.raises(CleInconnue):
        neuf.ouvrir(ancien.fermer("a@b.fr", "c"), "c")


@pytest.mark.parametrize("cles", ["", "abcd", f"{cle(1)},abcd"])
def test_une_cle_d_une_autre_taille_est_refusee_au_demarrage(cles: str) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        ContactCipher(cles)


def test_un_lien_se_relit_et_un_lien_contrefait_non() -> None:
    liens = Liens(cle(3))
    lien = Lien("e" * 32, "p-_1")
    jeton = liens.signer(lien)
    assert liens.lire(jeton) == lien
    assert jeton.replace("-", "").replace("_", "").replace(".", "").isalnum()
    assert Liens(cle(4)).lire(jeton) is None
    assert liens.lire(jeton.replace("p-_1", "p-_2")) is None
    assert liens.lire(jeton + "a") is None
    assert liens.lire("") is None
