"""The form of the preferences and the body of the service, and what the consents make of it."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.pages import preferences_form
from gateway.pages.forms import Saisie, reponse, reponse_par_lien

STORED: dict[str, Any] = {
    "version": 0,
    "pause_jusqua": None,
    "budget_semaine": 2,
    "canaux": {"email": True, "sms": False, "push": False},
    "telephone": None,
    "heures": {"debut": 8, "fin": 20},
    "cadences": {"p1": "quotidien", "ancien": "immediat"},
    "refus": [],
}


def test_ce_qui_est_montre_et_renvoye_tel_quel_ne_change_rien() -> None:
    shown = preferences_form.saisie_de(STORED, {"email"}, en_pause=False)
    body = preferences_form.preferences(shown, STORED, ["p1"])
    assert body["cadences"] == STORED["cadences"]
    assert body["heures"] == STORED["heures"]
    assert (body["budget_semaine"], body["pause_jusqua"]) == (2, None)
    assert preferences_form.version(shown) == '"0"'


def test_une_case_videe_retire_l_accord() -> None:
    saisie = Saisie({"cases": ["email", "sms"], "canal-sms": ["oui"]})
    assert preferences_form.canaux(saisie) == {"email": False, "sms": True}


def test_un_canal_sans_case_ne_decide_de_rien() -> None:
    assert preferences_form.canaux(Saisie({"canal-push": ["oui"]})) == {}


def test_le_rythme_d_un_autre_compte_n_est_pas_lu() -> None:
    saisie = Saisie({"cadence-p1": ["hebdomadaire"], "cadence-p9": ["quotidien"]})
    assert preferences_form.preferences(saisie, STORED, ["p1"])["cadences"] == {
        "p1": "hebdomadaire",
        "ancien": "immediat",
    }


def test_une_pause_par_sms_garde_son_heure() -> None:
    stored = "2026-12-24T14:32:00Z"
    assert preferences_form.pause("2026-12-24", stored) == stored
    assert preferences_form.pause("2026-12-25", stored) == "2026-12-25T00:00:00+01:00"
    assert preferences_form.pause("", stored) is None
    assert preferences_form.pause("demain", None) == "demain"


@given(st.dates(min_value=dt.date(2026, 1, 1), max_value=dt.date(2035, 12, 31)))
def test_une_pause_commence_et_finit_a_minuit_a_paris_meme_les_nuits_du_changement_d_heure(day: dt.date) -> None:
    moment = preferences_form.pause(day.isoformat(), None)
    assert moment is not None
    assert preferences_form.jour(moment) == day.isoformat()
    assert dt.datetime.fromisoformat(moment).astimezone(ZoneInfo("Europe/Paris")).time() == dt.time()


@pytest.mark.parametrize("version", ["", "x", "²", "-1", "1234567890", '1"'])
def test_une_version_qui_n_en_est_pas_une_est_un_conflit(version: str) -> None:
    assert preferences_form.version(Saisie({"version": [version]})) == '"999999999"'


def test_une_reponse_attend_seulement_si_on_le_demande() -> None:
    assert "liste_attente" not in reponse(Saisie({"quantite": ["2"]}))
    assert reponse(Saisie({"quantite": ["2"], "liste_attente": ["oui"]})) == {
        "message": "",
        "quantite": 2,
        "liste_attente": True,
    }


def test_qui_refuse_n_a_rien_a_compter() -> None:
    assert reponse_par_lien(Saisie({"intention": ["repondre"], "quantite": ["3"]})) == {
        "intention": "repondre",
        "quantite": 3,
    }
    assert reponse_par_lien(Saisie({"intention": ["refuser"], "quantite": ["beaucoup"]}))["quantite"] == 1
