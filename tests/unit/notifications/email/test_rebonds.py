"""Mails that come back: which of ours, for good or not, and nothing else about them."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.canaux.email.bounces import lire
from services.notifications.canaux.feedback import Retour, Verdict

NOW = dt.datetime(2026, 11, 25, 10, tzinfo=dt.UTC)
ENVOI = "0123456789abcdef0123456789abcdef"
RENDU = f"Message-ID: <{ENVOI}@asso.exemple>\r\nTo: <a@exemple.fr>\r\nSubject: x\r\n"


def dsn(
    action: str = "failed",
    status: str = "5.1.1",
    rendu: str = RENDU,
    type_rendu: str = "text/rfc822-headers",
    message: str = "",
    plus: str = "",
    type_statut: str = "message/delivery-status",
) -> bytes:
    return (
        "Return-Path: <>\r\nFrom: MAILER-DAEMON@relais.exemple\r\nAuto-Submitted: auto-replied\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="F"\r\n\r\n'
        "--F\r\nContent-Type: text/plain\r\n\r\nYour message to <a@exemple.fr> was not delivered.\r\n"
        f"--F\r\nContent-Type: {type_statut}\r\n\r\nReporting-MTA: dns; relais.exemple\r\n{message}\r\n"
        f"Final-Recipient: rfc822; a@exemple.fr\r\nAction: {action}\r\nStatus: {status}\r\n{plus}\r\n"
        f"--F\r\nContent-Type: {type_rendu}\r\n\r\n{rendu}\r\n--F--\r\n"
    ).encode()


def arf(genre: str, plus: str = "", rendu: str = RENDU) -> bytes:
    return (
        "From: plaintes@exemple.fr\r\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="F"\r\n\r\n'
        "--F\r\nContent-Type: text/plain\r\n\r\nPlainte\r\n"
        f"--F\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: {genre}\r\nVersion: 1\r\n{plus}\r\n"
        f"--F\r\nContent-Type: message/rfc822\r\n\r\n{rendu}\r\nBonjour\r\n--F--\r\n"
    ).encode()


def retour(verdict: Verdict, motif: str) -> list[Retour]:
    return [Retour("email", verdict, motif, NOW, envoi_id=ENVOI)]


@pytest.mark.parametrize(
    ("rebond", "attendu"),
    [
        (dsn(), retour(Verdict.REFUSE, "dsn 5.1.1")),
        (dsn("failed (no such user)", "5.1.1 (bad mailbox)"), retour(Verdict.REFUSE, "dsn 5.1.1")),
        (dsn(status="4.4.7"), retour(Verdict.NON_LIVRE, "dsn 4.4.7")),
        (dsn("error", "5.7.1"), retour(Verdict.REFUSE, "dsn 5.7.1")),
        (dsn("delivered", "2.0.0"), retour(Verdict.LIVRE, "dsn 2.0.0")),
        (dsn("delayed", "4.4.1"), []),
        (dsn("delayed", "5.4.1"), []),
        (dsn("relayed", "2.0.0"), []),
        (dsn("expanded", "2.0.0"), []),
        (dsn(status="n'importe quoi"), retour(Verdict.NON_LIVRE, "dsn failed")),
        (
            dsn(status="", plus="Diagnostic-Code: smtp; 550 5.1.1 <a@exemple.fr> unknown\r\n"),
            retour(Verdict.REFUSE, "dsn 5.1.1"),
        ),
        (dsn(type_rendu="message/rfc822", rendu=f"{RENDU}\r\ncorps\r\n"), retour(Verdict.REFUSE, "dsn 5.1.1")),
        (dsn(type_rendu="message/global-headers"), retour(Verdict.REFUSE, "dsn 5.1.1")),
        (dsn(type_statut="message/global-delivery-status"), retour(Verdict.REFUSE, "dsn 5.1.1")),
        (dsn(message=f"Original-Envelope-Id: {ENVOI}\r\n", rendu=""), retour(Verdict.REFUSE, "dsn 5.1.1")),
        (dsn(rendu=""), []),
        (dsn(rendu="Message-ID: <de@quelqu.un.d.autre>\r\n"), []),
        (arf("abuse"), retour(Verdict.PLAINTE, "arf abuse")),
        (arf("fraud"), retour(Verdict.PLAINTE, "arf fraud")),
        (arf("abuse", f"Original-Envelope-Id: <{ENVOI}>\r\n", "Subject: x\r\n"), retour(Verdict.PLAINTE, "arf abuse")),
        (arf("not-spam"), []),
        (arf("a@exemple.fr"), []),
    ],
)
def test_un_rapport_dit_ce_qu_est_devenu_le_courriel(rebond: bytes, attendu: list[Retour]) -> None:
    assert lire(rebond, NOW, "asso.exemple") == attendu


def test_de_plusieurs_adresses_le_mot_le_plus_grave_compte() -> None:
    suite = "\r\nFinal-Recipient: rfc822; b@exemple.fr\r\nAction: failed\r\nStatus: 5.2.1\r\n"
    assert lire(dsn("failed", "4.2.2", plus=suite), NOW) == retour(Verdict.REFUSE, "dsn 5.2.1")


def test_un_identifiant_d_un_autre_domaine_n_est_pas_le_notre() -> None:
    assert lire(dsn(), NOW, "ailleurs.exemple") == []


QMAIL = (
    "From: MAILER-DAEMON@relais.exemple\r\nSubject: failure notice\r\n\r\n"
    "Hi. This is the qmail-send program at relais.exemple.\r\n\r\n<a@exemple.fr>:\r\n"
    "{code} sorry, no mailbox here by that name. (#5.1.1)\r\n\r\n--- Below this line is a copy of the message.\r\n\r\n"
    f"{RENDU}\r\nbonjour\r\n"
)


@pytest.mark.parametrize(
    ("message", "attendu"),
    [
        (QMAIL.format(code="Sorry,"), retour(Verdict.REFUSE, "rebond 5.1.1")),
        (QMAIL.format(code="550").replace("(#5.1.1)", ""), retour(Verdict.REFUSE, "rebond 550")),
        (QMAIL.format(code="450").replace("#5.1.1", "#4.2.2"), []),
        (QMAIL.format(code="").replace("(#5.1.1)", ""), []),
        (QMAIL.format(code="550").replace("MAILER-DAEMON", "quelquun"), []),
        (QMAIL.format(code="550").replace("Message-ID", "Autre"), []),
    ],
)
def test_les_rebonds_d_avant_la_norme_se_lisent(message: str, attendu: list[Retour]) -> None:
    assert lire(message.encode(), NOW) == attendu


@pytest.mark.parametrize(
    "message",
    [
        f"From: a@exemple.fr\r\nAuto-Submitted: auto-replied\r\n\r\nAbsent. 550 5.1.1\r\n> {RENDU}".encode(),
        f'From: a@exemple.fr\r\nContent-Type: multipart/report; boundary="F"\r\n\r\n--F\r\n\r\nLu\r\n--F\r\n'
        f"Content-Type: message/disposition-notification\r\n\r\nDisposition: displayed\r\n\r\n--F\r\n"
        f"Content-Type: text/rfc822-headers\r\n\r\n{RENDU}\r\n--F--\r\n".encode(),
        b"",
        b"\x00\xff",
        b"x" * (1 << 20) + dsn(),
        b'Content-Type: multipart/report; boundary="a"\r\n\r\n' + b"--a\r\nContent-Type: message/rfc822\r\n\r\n" * 3000,
    ],
)
def test_absences_accuses_de_lecture_et_absurdites_ne_disent_rien(message: bytes) -> None:
    assert lire(message, NOW) == []


def test_aucune_adresse_n_est_gardee() -> None:
    for message in (dsn(plus="Diagnostic-Code: smtp; 550 <a@exemple.fr>\r\n"), arf("abuse"), QMAIL.encode()):
        assert all("exemple.fr" not in repr(lu) for lu in lire(message, NOW))


MORCEAUX = dsn().split(b"\r\n") + arf("abuse").split(b"\r\n") + [b"\xff\xfe", b"Content-Type: message/x", b"\xe9: \xe9"]


@given(st.lists(st.sampled_from(MORCEAUX) | st.binary(max_size=30), max_size=60).map(b"\r\n".join) | st.binary())
def test_aucun_courriel_ne_fait_tomber_la_lecture(message: bytes) -> None:
    for lu in lire(message, NOW):
        assert lu.envoi_id


@given(st.integers(0, len(dsn())), st.integers(0, 20), st.binary(max_size=10))
def test_aucun_rapport_abime_ne_fait_tomber_la_lecture(debut: int, longueur: int, mis: bytes) -> None:
    rebond = dsn()
    assert len(lire(rebond[:debut] + mis + rebond[debut + longueur :], NOW)) <= 1
