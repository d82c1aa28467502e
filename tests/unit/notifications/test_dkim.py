"""Signatures that others verify: dkimpy judges what is signed here."""

import datetime as dt
from functools import cache

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from services.notifications.canaux.email.dkim import SIGNES, Signataire
from services.notifications.domain import Genre
from services.notifications.messages.mail import Compositeur

MAIL = (
    b"To: <a@exemple.fr>\r\nMessage-ID: <abc@asso.exemple>\r\nDate: Mon, 23 Nov 2026 10:00:00 +0000\r\n"
    b"List-Unsubscribe: <https://asso.exemple/d/1>\r\nSubject: =?utf-8?q?Besoin?=\r\n d'une camionnette\r\n"
    b"From: Place <nous@asso.exemple>\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
    b"List-Id: Place <alertes.asso.exemple>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    b"Content-Type: text/plain\r\n\r\nBonjour  \t vous \r\n.\r\n\r\n  fin\t\r\n\r\n\r\n"
)


@cache
def cle(genre: str) -> str:
    privee = ed25519.Ed25519PrivateKey.generate() if genre == "ed25519" else rsa.generate_private_key(65537, 2048)
    return privee.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.fixture(scope="module", params=["rsa", "ed25519"])
def signataire(request: pytest.FixtureRequest) -> Signataire:
    return Signataire(cle(request.param), "s2026", "asso.exemple")


def verifie(signataire: Signataire, message: bytes) -> bool:
    noms = {signataire.nom_dns.encode() + b".": signataire.enregistrement().encode()}
    return bool(dkim.verify(message, dnsfunc=lambda nom, timeout=5: noms.get(nom)))


def test_un_courriel_signe_se_verifie(signataire: Signataire) -> None:
    signe = signataire.signer(MAIL)
    assert signe.endswith(MAIL)
    assert verifie(signataire, signe)
    assert max(map(len, signe.split(b"\r\n"))) <= 80


def test_ce_que_la_plateforme_compose_se_verifie(signataire: Signataire) -> None:
    compositeur = Compositeur("https://asso.exemple", "Place des assos", "nous@asso.exemple")
    modele = compositeur.compiler(Genre.CODE, "contenu", {})
    corps = {"raisons": "", "desabonnement": "", "code": "123456"}
    now = dt.datetime(2026, 11, 23, 10, tzinfo=dt.UTC)
    message = modele.remplir(compositeur.entetes("abc", "a@exemple.fr", None), corps, now)
    assert verifie(signataire, signataire.signer(message))


@pytest.mark.parametrize(
    ("avant", "apres"),
    [
        (b"camionnette", b"brouette"),
        (b"fin", b"FIN"),
        (b"asso.exemple/d/1", b"asso.exemple/d/2"),
        (b"One-Click", b"Two-Click"),
        (b"To: <a@", b"From: pirate@ailleurs.exemple\r\nTo: <a@"),
        (b"To: <a@", b"Subject: autre chose\r\nTo: <a@"),
    ],
)
def test_un_courriel_altere_ne_se_verifie_pas(signataire: Signataire, avant: bytes, apres: bytes) -> None:
    assert not verifie(signataire, signataire.signer(MAIL).replace(avant, apres, 1))


def test_ce_que_les_relais_peuvent_changer_ne_compte_pas(signataire: Signataire) -> None:
    change = (
        signataire.signer(MAIL).replace(b"Bonjour  \t vous \r\n", b"Bonjour vous\r\n").replace(b"To: <a", b"to:   <a")
    )
    assert verifie(signataire, change)


def test_chaque_en_tete_qui_compte_est_signe(signataire: Signataire) -> None:
    signature = signataire.signer(MAIL).partition(b"bh=")[0].decode().replace("\r\n\t", "")
    noms = signature.partition("h=")[2].rstrip(" ;").split(":")
    assert set(noms) == set(SIGNES)
    assert noms.count("from") == 2


def test_les_fins_de_ligne_isolees_sont_reparees_avant_la_signature(signataire: Signataire) -> None:
    assert verifie(signataire, signataire.signer(MAIL.replace(b"\r\n", b"\n")))


@settings(max_examples=150, deadline=None)
@given(
    corps=st.lists(st.sampled_from([b"a", b" ", b"\t", b"\r\n", b".", b"=20", b"\r\n\r\n"])).map(b"".join),
    objet=st.lists(st.sampled_from([b"a", b" ", b"\t", b":", b"\r\n b", b"h="])).map(b"".join),
)
def test_tout_corps_et_tout_repli_se_verifient(corps: bytes, objet: bytes) -> None:
    signataire = Signataire(cle("ed25519"), "s", "asso.exemple")
    message = b"From: nous@asso.exemple\r\nSubject: x" + objet + b"\r\n\r\n" + corps
    assert verifie(signataire, signataire.signer(message))


def test_un_courriel_sans_expediteur_n_est_pas_signe(signataire: Signataire) -> None:
    with pytest.raises(ValueError, match="without From"):
        signataire.signer(b"Subject: x\r\n\r\nFrom: corps\r\n")


def test_une_cle_sur_une_ligne_est_lue() -> None:
    une_ligne = cle("ed25519").replace("\n", "\\n")
    assert Signataire(une_ligne, "s", "asso.exemple").enregistrement().startswith("v=DKIM1; k=ed25519; p=")


def test_une_cle_ou_un_nom_impossible_est_refuse_sans_etre_cite() -> None:
    autre = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for mauvaise in ("", "secret", cle("rsa")[:300], autre.decode()):
        with pytest.raises(ValueError, match="CLE_DKIM") as levee:
            Signataire(mauvaise, "s", "asso.exemple")
        assert "secret" not in str(levee.value)
    for selecteur, domaine in (("", "asso.exemple"), ("s", "a;b"), ("s\r\n", "asso.exemple"), ("s", "")):
        with pytest.raises(ValueError, match="SELECTEUR_DKIM"):
            Signataire(cle("ed25519"), selecteur, domaine)
