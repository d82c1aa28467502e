"""The address to which somebody answers, and when the mail of a message leaves."""

import base64
import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from contracts.envois import Etat, Motif
from services.notifications.conversations import rhythm
from services.notifications.conversations.addresses import AdressesDeReponse
from services.notifications.conversations.engagements import Dit, sequence_suivante
from services.notifications.conversations.rhythm import ATTENTE_MAX, CALME
from services.notifications.domain import contenu_absent

CLE = base64.urlsafe_b64encode(b"c" * 32).decode()
AUTRE = base64.urlsafe_b64encode(b"d" * 32).decode()
ADRESSES = AdressesDeReponse(CLE, "Reponses.Place.exemple")
NOW = dt.datetime(2027, 3, 12, 9, tzinfo=dt.UTC)
IDS = st.text(st.sampled_from("0123456789abcdef"), min_size=32, max_size=32)


@given(IDS, IDS)
def test_une_adresse_tient_dans_ce_que_permet_le_courrier_et_survit_a_sa_casse(conversation: str, compte: str) -> None:
    jeton = ADRESSES.jeton(conversation, compte)
    adresse = ADRESSES.adresse(jeton)
    assert len(adresse.partition("@")[0]) <= 64
    assert adresse == adresse.lower()
    assert ADRESSES.jeton_de(adresse.upper()) == ADRESSES.jeton_de(f" {adresse.title()} ") == jeton


def test_chaque_personne_a_la_sienne_et_une_autre_cle_en_fait_d_autres() -> None:
    jetons = {ADRESSES.jeton(c, p) for c in ("c1", "c2") for p in ("p1", "p2")}
    assert len(jetons) == 4
    assert AdressesDeReponse(AUTRE, "reponses.place.exemple").jeton("c1", "p1") not in jetons


def test_ce_qui_n_est_pas_une_adresse_de_reponse_n_a_pas_de_jeton() -> None:
    for adresse in ("fil+abc@ailleurs.exemple", "fil+@reponses.place.exemple", "abc@reponses.place.exemple", "", "@"):
        assert ADRESSES.jeton_de(adresse) is None
    fermees = AdressesDeReponse(CLE, "")
    assert not fermees.ouvertes
    assert fermees.jeton_de("fil+abc@") is None


def test_le_premier_message_part_tout_de_suite_et_les_suivants_apres_deux_minutes_de_calme() -> None:
    assert rhythm.depart(None, NOW) is None
    assert rhythm.depart(NOW - CALME, NOW) is None
    assert rhythm.depart(NOW - CALME / 2, NOW) == NOW + CALME


@given(st.lists(st.integers(0, 119), min_size=1, max_size=60))
def test_une_conversation_sans_pause_est_dite_quand_meme(ecarts: list[int]) -> None:
    now, depart = NOW, NOW + CALME
    for ecart in ecarts:
        now += dt.timedelta(seconds=ecart)
        if now >= depart:
            return
        depart = rhythm.report(NOW, now)
        assert depart <= NOW + ATTENTE_MAX


def test_un_agenda_ne_recoit_jamais_un_numero_plus_petit() -> None:
    jours = {"date_debut": "2027-03-13"}
    assert sequence_suivante(None, 4) == 4
    assert sequence_suivante(Dit(jours, 4, annule=False), 4) == 4
    assert sequence_suivante(Dit(jours, 5, annule=True), 4) == 6


def test_attendre_le_service_des_annonces_ne_coute_aucune_tentative() -> None:
    suite = contenu_absent(NOW)
    assert (suite.etat, suite.motif, suite.rendue) == (Etat.ECHEC_TEMPORAIRE, Motif.CONTENU_ABSENT, True)
    assert suite.reprise_at is not None
    assert suite.reprise_at > NOW
