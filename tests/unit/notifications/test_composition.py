"""A compiled message is a valid mail whatever people write into it."""

import datetime as dt
import email
import email.policy
import re
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from icalendar import Calendar
from jinja2 import meta, nodes

from contracts.moderation import Decision, Issue, TypeCible
from contracts.notifications import Canal
from services.notifications.domain import Genre
from services.notifications.messages.catalogue import MESSAGES, VARIABLES, genre_de_decision
from services.notifications.messages.mail import (
    FENTES,
    POIDS_MAX,
    Compositeur,
    SansCourriel,
    TropLourd,
    ValeurInterdite,
    VariableAbsente,
)
from services.notifications.messages.mjml import environnements, gabarits, source
from services.notifications.messages.samples import CORPS, EXEMPLES
from services.notifications.messages.sms import PUSH, SMS

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
COURRIELS = [genre for genre in Genre if MESSAGES[genre].gabarit]
ESPACE_CASSANT = re.compile(r"[^\s\d] [:;?!»](?:\s|$)|« ")


def ecrire(genre: Genre, donnees: dict[str, Any], **corps: str) -> tuple[bytes, EmailMessage]:
    lien = "https://place.exemple/desabonnement/x.y.z" if MESSAGES[genre].consentement else None
    modele = COMPOSITEUR.compiler(genre, "c1", donnees)
    entetes = COMPOSITEUR.entetes("e1", "a@exemple.fr", lien)
    vides = dict.fromkeys(FENTES, "")
    brut = modele.remplir(entetes, {**vides, "desabonnement": lien or "", **corps}, NOW)
    mail = email.message_from_bytes(brut, policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    return brut, mail


def parties(mail: EmailMessage) -> tuple[str, str]:
    entier = list(mail.iter_parts())
    if entier[0].get_content_type() == "multipart/alternative":
        assert isinstance(entier[0], EmailMessage)
        entier = list(entier[0].iter_parts())
    texte, page = entier
    return texte.get_content(), page.get_content()


@settings(deadline=None)
@example(titre="t", description="d", raisons="0000000'''\"\x1f\x1f\x1f\x80\x80\x80\x80\x80\x80𐀀𐀀𐀀𐀀𐀀𐀀0\n")
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


@pytest.mark.parametrize("autour", ["\n", " \n", "\t\r\n", "=", "é", "'"])
def test_no_line_of_the_body_is_too_long_wherever_its_end_falls(autour: str) -> None:
    for longueur in range(60, 80):
        mot = "a" * longueur
        donnees = {**ALERTE, "description": f"{mot}{autour}suite {mot}{autour}"}
        brut, mail = ecrire(Genre.ALERTE, donnees, raisons=f"{mot}{autour}{mot}{autour}")
        assert max(map(len, brut.partition(b"\r\n\r\n")[2].split(b"\r\n"))) <= 76, longueur
        assert parties(mail)[0].count(mot) == 4


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


def test_text_cannot_pass_for_a_slot_nor_for_a_template() -> None:
    texte, page = parties(ecrire(Genre.ALERTE, {**ALERTE, "titre": "\ue000code\ue001 {{ code }}"}, code="123456")[1])
    assert "123456" not in texte + page
    assert "code {{ code }}" in texte


@pytest.mark.parametrize("adresse", ["a@b.fr\r\nBcc: x@y.fr", "a@b.fr>", "é@b.fr", "a b@c.fr", ""])
def test_a_bad_address_never_becomes_a_header(adresse: str) -> None:
    modele = COMPOSITEUR.compiler(Genre.CODE, "code", {})
    with pytest.raises(ValeurInterdite):
        modele.remplir(COMPOSITEUR.entetes("e1", adresse, None), dict.fromkeys(FENTES, ""), NOW)


def test_the_code_is_in_both_parts_and_there_is_nothing_to_unsubscribe_from() -> None:
    _, mail = ecrire(Genre.CODE, {}, code="123456")
    assert all("123456" in rendu for rendu in parties(mail))
    assert mail["List-Unsubscribe"] is None
    assert mail["List-Id"] is None


def test_an_alert_leads_to_the_page_where_one_person_answers() -> None:
    lien = COMPOSITEUR.lien_reponse("x.y.z")
    _, mail = ecrire(Genre.ALERTE, ALERTE, reponse=lien)
    assert lien == "https://place.exemple/repondre/x.y.z"
    assert all(lien in rendu for rendu in parties(mail))


@pytest.mark.parametrize("genre", COURRIELS)
def test_every_mail_can_be_written_and_is_light(genre: Genre) -> None:
    brut, mail = ecrire(genre, dict(EXEMPLES[genre]), **CORPS)
    assert mail["Subject"]
    assert all("https://place.exemple" in rendu for rendu in parties(mail))
    assert len(brut) <= POIDS_MAX
    assert (mail["List-Unsubscribe"] is not None) == MESSAGES[genre].consentement


@pytest.mark.parametrize("genre", COURRIELS)
def test_every_mail_says_its_language_and_is_for_light_and_dark(genre: Genre) -> None:
    _, page = parties(ecrire(genre, dict(EXEMPLES[genre]), **CORPS)[1])
    assert '<html lang="fr"' in page
    assert 'name="color-scheme" content="light dark"' in page
    assert "prefers-color-scheme: dark" in page
    assert all('role="presentation"' in table for table in re.findall(r"<table[^>]*>", page))
    assert "{{" not in page
    assert "{%" not in page
    assert "@@" not in page


@pytest.mark.parametrize("genre", COURRIELS)
def test_french_typography_keeps_signs_with_their_words(genre: Genre) -> None:
    # What people write is theirs: the samples are written well.
    rendu = COMPOSITEUR.rendre(genre, EXEMPLES[genre]).rempli(CORPS, NOW)
    vu = re.sub(r"<style.*?</style>|<!--.*?-->|<[^>]*>", "\n", rendu.page)
    for texte in (rendu.objet, rendu.texte, vu):
        assert [m[0] for m in ESPACE_CASSANT.finditer(texte)] == []
        assert "'" not in texte


@pytest.mark.parametrize("genre", COURRIELS)
def test_what_a_template_uses_is_declared_and_what_is_declared_is_asked_for(genre: Genre) -> None:
    message = MESSAGES[genre]
    for nom in message.variables:
        with pytest.raises(VariableAbsente, match=genre.value):
            COMPOSITEUR.compiler(genre, "c", {n: v for n, v in EXEMPLES[genre].items() if n != nom})
    assert message.variables <= VARIABLES.keys()
    COMPOSITEUR.compiler(genre, "c", {nom: EXEMPLES[genre][nom] for nom in message.variables})


@pytest.mark.parametrize("gabarit", gabarits())
def test_what_is_declared_is_used_and_the_other_way_round(gabarit: str) -> None:
    messages = [message for message in MESSAGES.values() if message.gabarit == gabarit]
    declarees = frozenset[str]().union(*(message.variables for message in messages))
    arbre = environnements()[0].parse(source(gabarit))
    importes = {nom[1] if isinstance(nom, tuple) else nom for n in arbre.find_all(nodes.FromImport) for nom in n.names}
    utilisees = meta.find_undeclared_variables(arbre) - importes
    utilisees |= set(re.findall(r"\{(\w+)\}", " ".join(message.objet for message in messages)))
    if gabarit == "alerte":
        # Looked at by the code that makes the subject.
        utilisees.add("urgent")
    if "quand" in utilisees:
        utilisees |= {"date_debut", "date_fin", "creneaux", "lieu", "a_distance"}
    assert utilisees - {"fente", "public_url", "nom_du_site", "genre", "quand"} == declarees


def test_a_part_of_a_value_that_lacks_is_an_error_too() -> None:
    with pytest.raises(VariableAbsente):
        COMPOSITEUR.compiler(Genre.ALERTE, "c", {**ALERTE, "auteur": {}})


def test_what_is_said_by_sms_only_has_no_mail() -> None:
    with pytest.raises(SansCourriel):
        COMPOSITEUR.compiler(Genre.STOP_CONFIRME, "c", {})


def test_every_message_says_its_channels_and_its_version() -> None:
    assert set(MESSAGES) == set(EXEMPLES) == set(Genre)
    for genre, message in MESSAGES.items():
        assert (Canal.EMAIL in message.canaux) == bool(message.gabarit)
        assert (Canal.SMS in message.canaux) == (genre in SMS)
        assert (Canal.PUSH in message.canaux) == (genre in PUSH)
        assert message.version >= 1
    assert {m.gabarit for m in MESSAGES.values()} - {""} == set(gabarits())


def test_a_mail_that_would_be_cut_is_refused() -> None:
    motif = {"libelle": "x", "a_changer": None, "explication": "mot " * 30_000, "engagement": None, "passage": None}
    with pytest.raises(TropLourd):
        COMPOSITEUR.compiler(Genre.ANNONCE_REFUSEE, "c", {**EXEMPLES[Genre.ANNONCE_REFUSEE], "motifs": [motif]})


def test_a_reminder_carries_a_calendar_file_dated_when_it_is_sent() -> None:
    brut, mail = ecrire(Genre.RAPPEL, dict(EXEMPLES[Genre.RAPPEL]))
    alternatives, fichier = mail.iter_parts()
    assert alternatives.get_content_type() == "multipart/alternative"
    assert fichier["Content-Type"].params == {"charset": "utf-8", "method": "PUBLISH"}
    assert fichier.get_filename() == "rendez-vous.ics"
    (evenement,) = Calendar.from_ical(fichier.get_content()).walk("VEVENT")
    assert evenement.decoded("dtstamp") == NOW
    assert str(evenement["uid"]).endswith("@place.exemple")
    assert max(map(len, brut.partition(b"\r\n\r\n")[2].split(b"\r\n"))) <= 76
    assert "samedi 13 mars 2027" in parties(mail)[0]


def test_without_days_there_is_no_calendar_file() -> None:
    sans = {nom: EXEMPLES[Genre.REPONSE_ACCEPTEE][nom] for nom in ("titre", "annonce_id", "quantite")}
    _, mail = ecrire(Genre.REPONSE_ACCEPTEE, sans)
    assert mail.get_content_type() == "multipart/alternative"
    assert "Quand" not in parties(mail)[0]


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


@settings(deadline=None)
@given(titre=st.text(st.characters(blacklist_categories=["C", "Z"]), min_size=1, max_size=120))
def test_a_subject_is_read_back_as_it_was(titre: str) -> None:
    brut, mail = ecrire(Genre.ALERTE, {**ALERTE, "titre": titre})
    assert mail["Subject"] == titre
    assert max(map(len, brut.partition(b"\r\n\r\n")[0].split(b"\r\n"))) <= 76
