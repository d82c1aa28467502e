"""What is written to a relay: only words that it announced, and no line that ends a message early."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.canaux.base import Colis, Permanent
from services.notifications.canaux.email.envelope import ServerCapabilities, plier
from services.notifications.canaux.email.lines import en_crlf, transparents

TOUT = ServerCapabilities(pipelining=True, huit_bits=True, utf8=True, dsn=True, taille=0)
ASCII, ACCENTS = b"Subject: x\r\n\r\nbonjour\r\n", "Subject: x\r\n\r\nété\r\n".encode()


def mail(
    adresse: str = "a@exemple.fr", contenu: bytes = ASCII, offre: ServerCapabilities = TOUT, envoi_id: str = "abc"
) -> str:
    return plier(Colis(envoi_id, adresse, contenu), "nous@exemple.fr", offre).mail.decode()


def test_un_relais_qui_n_annonce_rien_ne_recoit_rien_de_plus() -> None:
    pli = plier(Colis("abc", "a@exemple.fr", ASCII), "nous@exemple.fr", ServerCapabilities())
    assert (pli.mail, pli.rcpt) == (b"MAIL FROM:<nous@exemple.fr>\r\n", b"RCPT TO:<a@exemple.fr>\r\n")
    assert pli.contenu == ASCII + b".\r\n"


def test_chaque_option_sert_la_ou_elle_est_annoncee_et_utile() -> None:
    assert mail(offre=ServerCapabilities(taille=0)) == f"MAIL FROM:<nous@exemple.fr> SIZE={len(ASCII)}\r\n"
    assert mail(contenu=ACCENTS, offre=ServerCapabilities(huit_bits=True)).endswith("> BODY=8BITMIME\r\n")
    assert mail("été@exemple.fr", offre=ServerCapabilities(utf8=True)).endswith("> SMTPUTF8\r\n")
    assert mail(offre=ServerCapabilities(dsn=True)).endswith("> RET=HDRS ENVID=abc\r\n")
    assert "ENVID" not in mail(envoi_id="a b", offre=ServerCapabilities(dsn=True))


@pytest.mark.parametrize(
    ("colis", "offre", "motif"),
    [
        (Colis("e", "été@exemple.fr", ASCII), ServerCapabilities(), "smtp sans SMTPUTF8"),
        (Colis("e", "a@été.fr", ASCII), ServerCapabilities(huit_bits=True), "smtp sans SMTPUTF8"),
        (
            Colis("e", "a@b.fr", "Subject: é\r\n\r\nx\r\n".encode()),
            ServerCapabilities(huit_bits=True),
            "smtp sans SMTPUTF8",
        ),
        (Colis("e", "a@b.fr", ACCENTS), ServerCapabilities(), "smtp sans 8BITMIME"),
        (Colis("e", "a@b.fr", ASCII), ServerCapabilities(taille=10), "smtp message trop grand"),
        (Colis("e", "a@b.fr>\r\nRCPT TO:<c@d.fr", ASCII), TOUT, "smtp adresse impossible"),
        (Colis("e", "a b@c.fr", ASCII), TOUT, "smtp adresse impossible"),
        (Colis("e", "sans-arobase", ASCII), TOUT, "smtp adresse impossible"),
        (Colis("e", "a" * 300 + "@b.fr", ASCII), TOUT, "smtp adresse impossible"),
        (Colis("e", "\udcff@b.fr", ASCII), TOUT, "smtp adresse impossible"),
    ],
)
def test_ce_qu_un_relais_ne_prendra_jamais_n_est_pas_essaye(
    colis: Colis, offre: ServerCapabilities, motif: str
) -> None:
    with pytest.raises(Permanent) as levee:
        plier(colis, "nous@exemple.fr", offre)
    assert levee.value.motif == motif


@pytest.mark.parametrize(("taille", "lue"), [("1000", 1000), ("", 0), ("beaucoup", 0), ("9" * 40, 0)])
def test_la_taille_annoncee_est_respectee(taille: str, lue: int) -> None:
    assert ServerCapabilities.lire({"size": taille, "dsn": ""}) == ServerCapabilities(dsn=True, taille=lue)
    assert ServerCapabilities.lire({}).taille is None


@given(st.lists(st.sampled_from([b".", b"\r", b"\n", b"\r\n", b"x", b"..", b"\r\n.\r\n"])).map(b"".join))
def test_aucun_contenu_ne_finit_trop_tot_et_tout_arrive(contenu: bytes) -> None:
    message = en_crlf(contenu)
    assert message.count(b"\r") == message.count(b"\n") == message.count(b"\r\n")
    ecrit = transparents(message)
    assert (b"\r\n" + ecrit).find(b"\r\n.\r\n") == len(ecrit) - 3
    lignes = ecrit.removesuffix(b".\r\n").split(b"\r\n")
    assert b"\r\n".join(ligne.removeprefix(b".") for ligne in lignes) == message
