"""What a mail is and says, whoever wrote it and however badly."""

from email.message import EmailMessage
from email.policy import SMTP

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.reponses_email.html_text import en_texte
from services.notifications.reponses_email.read import Courriel, Sorte, lire


def courriel(texte: str = "Oui, je viens.", **entetes: str) -> EmailMessage:
    mail = EmailMessage(policy=SMTP)
    valeurs = {"From": "Camille <camille@exemple.fr>", "To": "fil+x@entrant.exemple", "Message-ID": "<m1@exemple.fr>"}
    for nom, valeur in {**valeurs, **{nom.replace("_", "-"): v for nom, v in entetes.items()}}.items():
        mail[nom] = valeur
    mail.set_content(texte)
    return mail


def lu(mail: EmailMessage) -> Courriel:
    return lire(mail.as_bytes())


def brut(corps: bytes, type_: str = "text/plain; charset=utf-8", *entetes: str) -> bytes:
    tete = ["From: camille@exemple.fr", "MIME-Version: 1.0", f"Content-Type: {type_}", *entetes]
    return "\r\n".join(tete).encode() + b"\r\n\r\n" + corps


def test_les_mots_d_une_personne_sont_lus_avec_son_adresse() -> None:
    trouve = lu(courriel())
    assert (trouve.sorte, trouve.de, trouve.texte) == (Sorte.HUMAIN, "camille@exemple.fr", "Oui, je viens.")


@pytest.mark.parametrize(
    "entetes",
    [
        {"Auto-Submitted": "auto-replied"},
        {"Auto-Submitted": "auto-generated; owner-email=x@y.fr"},
        {"Precedence": "bulk"},
        {"Precedence": "auto_reply"},
        {"X-Autoreply": "yes"},
        {"X-Autorespond": "absent"},
        {"List-Id": "<liste.exemple.fr>"},
        {"Return-Path": "<>"},
        {"Subject": "Réponse automatique : Conversation"},
        {"Subject": "Absence du bureau"},
        {"Subject": "Out of Office: Conversation"},
    ],
)
def test_ce_qu_aucune_personne_n_a_ecrit_est_reconnu(entetes: dict[str, str]) -> None:
    mail = courriel()
    for nom, valeur in entetes.items():
        mail[nom] = valeur
    assert lu(mail).sorte is Sorte.AUTOMATIQUE


@pytest.mark.parametrize("de", ["MAILER-DAEMON@exemple.fr", "postmaster@exemple.fr", "no-reply@exemple.fr"])
def test_un_systeme_de_courrier_n_est_personne(de: str) -> None:
    mail = courriel()
    mail.replace_header("From", de)
    assert lu(mail).sorte is Sorte.AUTOMATIQUE


@pytest.mark.parametrize(
    "entetes",
    [{"Auto-Submitted": "no"}, {"Precedence": "first-class"}, {"Subject": "Re: Bureau : absence de chaises"}],
)
def test_une_personne_n_est_pas_prise_pour_un_programme(entetes: dict[str, str]) -> None:
    mail = courriel()
    for nom, valeur in entetes.items():
        mail[nom] = valeur
    assert lu(mail).sorte is Sorte.HUMAIN


def test_un_courriel_en_html_seul_est_lu_sans_ce_qu_il_cite() -> None:
    page = (
        "<html><head><style>p {color:red}</style></head><body><div>Oui,<br>je viens &agrave; 9&nbsp;h</div>"
        "<div class='gmail_quote'>Le samedi<blockquote>Vous venez&nbsp;?</blockquote></div></body></html>"
    )
    mail = courriel()
    mail.set_content(page, subtype="html")
    assert lu(mail).texte == "Oui,\nje viens à 9 h"


@pytest.mark.parametrize(
    ("corps", "charset"),
    [
        ("été".encode(), "us-ascii"),
        ("été".encode(), "iso-8859-1"),
        ("été".encode("cp1252"), "utf-8"),
        ("été".encode("latin-1"), "iso-8859-1"),
        ("été".encode("utf-16"), "utf-16"),
        ("été".encode("cp1252"), "inconnu-8"),
        ("été".encode(), ""),
    ],
)
def test_un_jeu_de_caracteres_qui_ment_ne_gate_pas_les_mots(corps: bytes, charset: str) -> None:
    type_ = f"text/plain; charset={charset}" if charset else "text/plain"
    assert lire(brut(corps, type_)).texte == "été"


def test_des_pieces_jointes_ne_sont_pas_des_mots() -> None:
    mail = courriel("Voici la photo.")
    mail.add_attachment(b"BEGIN:VCALENDAR", maintype="text", subtype="calendar", filename="invite.ics")
    mail.add_attachment(b"\x78\x9f\x3e\x22", maintype="application", subtype="ms-tnef", filename="winmail.dat")
    mail.add_attachment("piège", filename="notes.txt")
    assert lu(mail).texte == "Voici la photo."


def test_une_invitation_ou_un_winmail_dat_seuls_n_ont_pas_de_texte() -> None:
    assert lire(brut(b"BEGIN:VCALENDAR", "text/calendar; method=REPLY")).texte == ""
    assert lire(brut(b"x", "application/ms-tnef; name=winmail.dat")).texte == ""


def test_deux_expediteurs_n_en_sont_aucun() -> None:
    mail = courriel()
    mail.replace_header("From", "camille@exemple.fr, autre@exemple.fr")
    assert lu(mail).de == ""


def test_le_meme_courriel_deux_fois_est_le_meme() -> None:
    premier, second = courriel("Oui"), courriel("Oui, deux fois", Received="par un autre chemin")
    assert lu(premier).empreinte == lu(second).empreinte
    sans = courriel("Oui")
    del sans["Message-ID"]
    assert lu(sans).empreinte != lu(premier).empreinte


@given(st.binary(max_size=2000))
def test_rien_de_ce_qu_un_inconnu_envoie_n_arrete_la_lecture(octets: bytes) -> None:
    assert "\x00" not in lire(octets).texte
    lire(b"From: a@exemple.fr\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + octets)


@given(st.text(max_size=500))
def test_une_page_quelconque_ne_laisse_aucune_balise(page: str) -> None:
    assert "<b>" not in en_texte(f"<p>{page}</p><b>fin</b>".replace("&", ""))


@pytest.mark.parametrize("motif", ["<!--", "<", "<div>", "<blockquote>", "<a b='", "<![CDATA["])
def test_une_page_hostile_de_cent_mille_signes_est_lue(motif: str) -> None:
    assert en_texte(f"<p>Oui.</p>{motif * (100_000 // len(motif))}").strip().startswith("Oui.")
