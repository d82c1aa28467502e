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
def test_aucun_texte_ne_casse_le_courriel_ni_n_ajoute_d_en_tete(titre: str, description: str, raisons: str) -> None:
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
def test_aucune_ligne_du_corps_n_est_trop_longue(autour: str) -> None:
    for longueur in range(60, 80):
        mot = "a" * longueur
        donnees = {**ALERTE, "description": f"{mot}{autour}suite {mot}{autour}"}
        brut, mail = ecrire(Genre.ALERTE, donnees, raisons=f"{mot}{autour}{mot}{autour}")
        assert max(map(len, brut.partition(b"\r\n\r\n")[2].split(b"\r\n"))) <= 76, longueur
        assert parties(mail)[0].count(mot) == 4


@settings(deadline=None)
@given(raisons=st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1, max_size=300))
def test_une_valeur_se_relit_telle_quelle(raisons: str) -> None:
    texte, _ = parties(ecrire(Genre.ALERTE, ALERTE, raisons=raisons)[1])
    assert f"Pourquoi vous\u00a0: {raisons}\n" in texte.replace("\r\n", "\n")


def test_le_html_est_echappe_dans_le_contenu_et_les_valeurs() -> None:
    _, page = parties(ecrire(Genre.ALERTE, {**ALERTE, "titre": "<script>"}, raisons="<b>")[1])
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "&lt;b&gt;" in page


def test_un_texte_ne_passe_ni_pour_un_emplacement_ni_pour_un_gabarit() -> None:
    texte, page = parties(ecrire(Genre.ALERTE, {**ALERTE, "titre": "\ue000code\ue001 {{ code }}"}, code="123456")[1])
    assert "123456" not in texte + page
    assert "code {{ code }}" in texte


@pytest.mark.parametrize("adresse", ["a@b.fr\r\nBcc: x@y.fr", "a@b.fr>", "é@b.fr", "a b@c.fr", ""])
def test_une_mauvaise_adresse_ne_devient_jamais_un_en_tete(adresse: str) -> None:
    modele = COMPOSITEUR.compiler(Genre.CODE, "code", {})
    with pytest.raises(ValeurInterdite):
        modele.remplir(COMPOSITEUR.entetes("e1", adresse, None), dict.fromkeys(FENTES, ""), NOW)


def test_le_code_est_dans_les_deux_parties_et_rien_n_est_a_resilier() -> None:
    _, mail = ecrire(Genre.CODE, {}, code="123456")
    assert all("123456" in rendu for rendu in parties(mail))
    assert mail["List-Unsubscribe"] is None
    assert mail["List-Id"] is None


def test_une_alerte_mene_a_la_page_ou_sa_personne_repond() -> None:
    lien = COMPOSITEUR.lien_reponse("x.y.z")
    _, mail = ecrire(Genre.ALERTE, ALERTE, reponse=lien)
    assert lien == "https://place.exemple/repondre/x.y.z"
    assert all(lien in rendu for rendu in parties(mail))


@pytest.mark.parametrize("genre", COURRIELS)
def test_chaque_courriel_s_ecrit_et_reste_leger(genre: Genre) -> None:
    brut, mail = ecrire(genre, dict(EXEMPLES[genre]), **CORPS)
    assert mail["Subject"]
    assert all("https://place.exemple" in rendu for rendu in parties(mail))
    assert len(brut) <= POIDS_MAX
    assert (mail["List-Unsubscribe"] is not None) == MESSAGES[genre].consentement


@pytest.mark.parametrize("genre", COURRIELS)
def test_chaque_courriel_dit_sa_langue_et_se_lit_clair_ou_sombre(genre: Genre) -> None:
    _, page = parties(ecrire(genre, dict(EXEMPLES[genre]), **CORPS)[1])
    assert '<html lang="fr"' in page
    assert 'name="color-scheme" content="light dark"' in page
    assert "prefers-color-scheme: dark" in page
    assert all('role="presentation"' in table for table in re.findall(r"<table[^>]*>", page))
    assert "{{" not in page
    assert "{%" not in page
    assert "@@" not in page


@pytest.mark.parametrize("genre", COURRIELS)
def test_la_typographie_garde_les_signes_avec_leurs_mots(genre: Genre) -> None:
    # What people write is theirs: the samples are written well.
    rendu = COMPOSITEUR.rendre(genre, EXEMPLES[genre]).rempli(CORPS, NOW)
    vu = re.sub(r"<style.*?</style>|<!--.*?-->|<[^>]*>", "\n", rendu.page)
    for texte in (rendu.objet, rendu.texte, vu):
        assert [m[0] for m in ESPACE_CASSANT.finditer(texte)] == []
        assert "'" not in texte


@pytest.mark.parametrize("genre", COURRIELS)
def test_ce_qu_un_gabarit_utilise_est_declare_et_demande(genre: Genre) -> None:
    message = MESSAGES[genre]
    for nom in message.variables:
        with pytest.raises(VariableAbsente, match=genre.value):
            COMPOSITEUR.compiler(genre, "c", {n: v for n, v in EXEMPLES[genre].items() if n != nom})
    assert message.variables <= VARIABLES.keys()
    COMPOSITEUR.compiler(genre, "c", {nom: EXEMPLES[genre][nom] for nom in message.variables})


@pytest.mark.parametrize("gabarit", gabarits())
def test_ce_qui_est_declare_est_utilise_et_inversement(gabarit: str) -> None:
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
    if "page" in utilisees:
        utilisees |= {"reponse_id"} & declarees
    communes = {"fente", "public_url", "nom_du_site", "genre", "quand", "rencontre", "page", "repere"}
    assert utilisees - communes == declarees


def test_une_partie_de_valeur_manquante_est_aussi_une_erreur() -> None:
    with pytest.raises(VariableAbsente):
        COMPOSITEUR.compiler(Genre.ALERTE, "c", {**ALERTE, "auteur": {}})


def test_ce_qui_ne_se_dit_que_par_sms_n_a_pas_de_courriel() -> None:
    with pytest.raises(SansCourriel):
        COMPOSITEUR.compiler(Genre.STOP_CONFIRME, "c", {})


def test_chaque_message_dit_ses_canaux_et_sa_version() -> None:
    assert set(MESSAGES) == set(EXEMPLES) == set(Genre)
    for genre, message in MESSAGES.items():
        assert (Canal.EMAIL in message.canaux) == bool(message.gabarit)
        assert (Canal.SMS in message.canaux) == (genre in SMS)
        assert (Canal.PUSH in message.canaux) == (genre in PUSH)
        assert message.version >= 1
    assert {m.gabarit for m in MESSAGES.values()} - {""} == set(gabarits())


def test_un_courriel_qui_serait_coupe_est_refuse() -> None:
    motif = {"libelle": "x", "a_changer": None, "explication": "mot " * 30_000, "engagement": None, "passage": None}
    with pytest.raises(TropLourd):
        COMPOSITEUR.compiler(Genre.ANNONCE_REFUSEE, "c", {**EXEMPLES[Genre.ANNONCE_REFUSEE], "motifs": [motif]})


def test_un_rappel_porte_un_fichier_d_agenda_date_de_son_envoi() -> None:
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


def test_sans_jours_un_rappel_n_a_pas_de_fichier_d_agenda() -> None:
    sans = {nom: EXEMPLES[Genre.REPONSE_ACCEPTEE][nom] for nom in ("titre", "annonce_id", "quantite")}
    _, mail = ecrire(Genre.REPONSE_ACCEPTEE, sans)
    assert mail.get_content_type() == "multipart/alternative"
    assert "Quand" not in parties(mail)[0]


@pytest.mark.parametrize("cible", TypeCible)
@pytest.mark.parametrize("issue", Issue)
def test_chaque_decision_a_son_message(cible: TypeCible, issue: Issue) -> None:
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


def test_un_long_objet_est_coupe_et_perd_ses_retours_a_la_ligne() -> None:
    _, mail = ecrire(Genre.ALERTE, {**ALERTE, "titre": "mot\n" * 100, "urgent": True})
    assert mail["Subject"].startswith("Urgent\u00a0: mot mot")
    assert len(mail["Subject"]) <= 150


@settings(deadline=None)
@given(titre=st.text(st.characters(blacklist_categories=["C", "Z"]), min_size=1, max_size=120))
def test_un_objet_se_relit_tel_quel(titre: str) -> None:
    brut, mail = ecrire(Genre.ALERTE, {**ALERTE, "titre": titre})
    assert mail["Subject"] == titre
    assert max(map(len, brut.partition(b"\r\n\r\n")[0].split(b"\r\n"))) <= 76
