"""The wishes that the API accepts, and those that it refuses with a sentence."""

from typing import Any

import pytest
from pydantic import ValidationError

from contracts import references
from contracts.commun import Lieu
from services.matching.requetes import Souhaits

CATEGORIE = sorted(references.categories())[0]


def souhaits(**champs: Any) -> Souhaits:
    return Souhaits.model_validate({"sens": "besoin", "quartier": "fives", **champs})


def test_sans_autre_precision_tout_convient_a_cinq_kilometres() -> None:
    libres = souhaits()
    assert (libres.rayon_km, libres.a_distance) == (5, True)
    assert [libres.champs()[nom] for nom in ("natures", "domaines", "categories", "creneaux")] == [[], [], [], []]


def test_un_quartier_est_son_centre_sauf_si_un_point_est_donne() -> None:
    centre = references.quartiers()["fives"]
    assert souhaits().lieu == Lieu(quartier="fives", lat=centre.lat, lon=centre.lon)
    assert souhaits(lat=50.5, lon=3.5).lieu == Lieu(quartier="fives", lat=50.5, lon=3.5)
    assert souhaits(quartier=None, lat=50.5, lon=3.5).lieu == Lieu(quartier=None, lat=50.5, lon=3.5)


def test_un_code_ecrit_deux_fois_ne_compte_qu_une_fois() -> None:
    doubles = souhaits(categories=[CATEGORIE, CATEGORIE], natures=["materiel", "materiel"])
    assert doubles.champs()["categories"] == [CATEGORIE]
    assert len(doubles.champs()["natures"]) == 1


@pytest.mark.parametrize(
    ("champs", "phrase"),
    [
        ({"quartier": None}, "Indiquez un quartier"),
        ({"lat": 50.5}, "vont ensemble"),
        ({"lon": 3.5}, "vont ensemble"),
        ({"quartier": None, "lat": 50.5}, "vont ensemble"),
        ({"quartier": "atlantide"}, "«\u00a0atlantide\u00a0»"),
        ({"domaines": ["rien"]}, "«\u00a0rien\u00a0»"),
        ({"categories": ["rien"]}, "«\u00a0rien\u00a0»"),
        ({"creneaux": ["rien"]}, "«\u00a0rien\u00a0»"),
        ({"certifications": ["rien"]}, "«\u00a0rien\u00a0»"),
        ({"rayon_km": 0.0}, "greater than 0"),
        ({"rayon_km": 64.1}, "less than or equal to 64"),
        ({"lat": 90.1, "lon": 3.0}, "90"),
        ({"lat": -90.1, "lon": 3.0}, "-90"),
        ({"lat": 50.0, "lon": 180.1}, "180"),
        ({"lat": 50.0, "lon": -180.1}, "-180"),
        ({"lat": float("nan"), "lon": 3.0}, "finite"),
        ({"rayon_km": float("inf")}, "finite"),
        ({"natures": ["materiel"] * 5}, "4"),
        ({"domaines": ["x"] * 21}, "20"),
        ({"categories": ["x"] * 61}, "60"),
        ({"creneaux": ["x"] * 22}, "21"),
        ({"certifications": ["x"] * 21}, "20"),
        ({"inconnu": 1}, "Extra"),
    ],
)
def test_un_souhait_impossible_est_refuse_avec_une_phrase(champs: dict[str, Any], phrase: str) -> None:
    with pytest.raises(ValidationError) as refus:
        souhaits(**champs)
    (erreur,) = refus.value.errors()
    assert phrase in erreur["msg"]


@pytest.mark.parametrize(
    "champs",
    [
        {"rayon_km": 64.0},
        {"lat": -90.0, "lon": -180.0},
        {"lat": 90.0, "lon": 180.0},
        {"natures": ["materiel"] * 4},
        {"categories": [CATEGORIE] * 60},
    ],
)
def test_les_bornes_d_un_souhait_sont_admises(champs: dict[str, Any]) -> None:
    souhaits(**champs)
