"""A compiled message is a valid mail whatever people write into it."""

import datetime as dt
import email
import email.policy
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.moderation import Decision, Issue, Motif, TypeCible
from services.notifications.composition import Compositeur, ValeurInterdite
from services.notifications.domain import Genre
from services.notifications.messages import MESSAGES, expliquer, genre_de_decision

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
COMPOSITEUR = Compositeur("https://place.exemple/", "Place des assos", "ne-pas-repondre@place.exemple")
ALERTE: dict[str, Any] = {
    "titre": "Costumes",
    "urgent": False,
    "auteur": {"nom": None},
    "sens": "besoin",
    "description": "Trente costumes.",
    "date_debut": None,
    "date_fin": None,
    "creneaux": [],
    "a_distance": False,
    "lieu": {"quartier": "fives"},
    "nature": "materiel",
    "places": 30,
    "cession": "don",
    "annonce_id": "a1",
}


def ecrire(genre: Genre, donnees: dict[str, Any], **corps: str) -> tuple[bytes, EmailMessage]:
    lien = "https://place.exemple/desabonnement/x.y.z" if genre is Genre.ALERTE else None
    modele = COMPOSITEUR.compiler(genre, "c1", donnees)
    entetes = COMPOSITEUR.entetes("e1", "a@exemple.fr", lien)
    brut = modele.remplir(entetes, {"raisons": "", "desabonnement": lien or "", "code": "", **corps}, NOW)
    mail = email.message_from_bytes(brut, policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    return brut, mail


def parties(mail: EmailMessage) -> tuple[str, str]:
    texte, page = mail.iter_parts()
    return texte.get_content(), page.get_content()


@settings(deadline=None)
@given(titre=st.text(max_size=200), description=st.text(max_size=700), raisons=st.text(max_size=300))
def test_no_text_breaks_the_mail_nor_adds_a_header(titre: str, description: str, raisons: str) -> None:
    donnees = {**ALERTE, "titre": titre, "description": description}
    brut, mail = ecrire(Genre.ALERTE, donnees, raisons=raisons)
    assert sorted(mail.keys()) == sorted(
        [
            "To",
            "Message-ID",
            "Date",
            "List-Unsubscribe",
            "From",
            "Subject",
            "Auto-Submitted",
            "MIME-Version",
            "List-Id",
            "List-Unsubscribe-Post",
            "Content-Type",
        ]
    )
    assert len(list(mail.iter_parts())) == 2
    entete, _, corps = brut.partition(b"\r\n\r\n")
    assert brut.isascii()
    assert max(map(len, corps.split(b"\r\n"))) <= 76
    assert b"\n" not in entete.replace(b"\r\n", b"")
    assert b"\n" not in corps.replace(b"\r\n", b"")
    assert b"\r" not in corps.replace(b"\r\n", b"")


@settings(deadline=None)
@given(raisons=st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1, max_size=300))
def test_a_slot_is_read_back_as_it_was(raisons: str) -> None:
    texte, _ = parties(ecrire(Genre.ALERTE, ALERTE, raisons=raisons)[1])
    assert f"Pourquoi vous\u00a0: {raisons}\n" in texte.replace("\r\n", "\n")


def test_html_is_escaped_in_content_and_slots() -> None:
    _, page = parties(ecrire(Genre.ALERTE, {**ALERTE, "titre": "<script>"}, raisons="<b>")[1])
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "&lt;b&gt;" in page


def test_text_cannot_pass_for_a_slot() -> None:
    texte, _ = parties(ecrire(Genre.ALERTE, {**ALERTE, "titre": "\ue000code\ue001"}, code="123456")[1])
    assert "123456" not in texte


@pytest.mark.parametrize("adresse", ["a@b.fr\r\nBcc: x@y.fr", "a@b.fr>", "é@b.fr", "a b@c.fr", ""])
def test_a_bad_address_never_becomes_a_header(adresse: str) -> None:
    modele = COMPOSITEUR.compiler(Genre.CODE, "code", {})
    with pytest.raises(ValeurInterdite):
        modele.remplir(COMPOSITEUR.entetes("e1", adresse, None), {"raisons": "", "desabonnement": "", "code": "1"}, NOW)


def test_the_code_is_in_both_parts_and_there_is_nothing_to_unsubscribe_from() -> None:
    _, mail = ecrire(Genre.CODE, {}, code="123456")
    assert all("123456" in rendu for rendu in parties(mail))
    assert mail["List-Unsubscribe"] is None
    assert mail["List-Id"] is None


@pytest.mark.parametrize("genre", Genre)
def test_every_kind_of_message_can_be_written(genre: Genre) -> None:
    donnees = {
        **ALERTE,
        "cible_id": "a1",
        "quantite": 2,
        "automatique": False,
        "motifs": [expliquer(Motif(code="valeurs", engagement=4, passage="réservé"))],
    }
    _, mail = ecrire(genre, donnees)
    assert mail["Subject"]
    assert all("https://place.exemple" in rendu for rendu in parties(mail))
    assert set(MESSAGES) == set(Genre)


@pytest.mark.parametrize("cible", TypeCible)
@pytest.mark.parametrize("issue", Issue)
def test_every_decision_has_its_message(cible: TypeCible, issue: Issue) -> None:
    decision = Decision(
        decision_id="d",
        dossier_id="d",
        cible_type=cible,
        cible_id="a",
        cible_version=1,
        cible_titre="T",
        issue=issue,
        destinataires=[],
        decidee_at=NOW,
    )
    assert genre_de_decision(decision).value.startswith(cible.value)


def test_a_long_subject_is_cut_and_line_breaks_go() -> None:
    _, mail = ecrire(Genre.ALERTE, {**ALERTE, "titre": "mot\n" * 100, "urgent": True})
    assert mail["Subject"].startswith("Urgent\u00a0: mot mot")
    assert len(mail["Subject"]) <= 150
