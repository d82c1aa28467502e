"""What may be searched for, and the aggregation that is asked of MongoDB."""

import datetime as dt
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.annonces.recherche import FACETTES, RAYON_TERRE_KM, Recherche, Tri, filtre, pipeline

NOW = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
FIVES = {"lat": 50.63, "lon": 3.09}


def refus(**parametres: Any) -> list[tuple[str, str]]:
    """(parameter, message) of each error."""
    with pytest.raises(ValidationError) as levee:
        Recherche(**parametres)
    return [(str(erreur["loc"][-1]), erreur["msg"]) for erreur in levee.value.errors()]


def test_sans_rien_demander_on_lit_les_vingt_plus_recentes() -> None:
    tout = Recherche()
    assert (tout.page, tout.taille, tout.ordre) == (1, 20, Tri.RECENT)
    assert filtre(tout, NOW) == {"etat": "publiee", "expire_at": {"$gt": NOW}}


def test_un_parametre_vide_est_comme_absent() -> None:
    vides = dict.fromkeys(("q", "sens", "nature", "urgent", "lat", "lon", "rayon_km", "tri", "page", "taille"), "")
    assert Recherche.model_validate(vides) == Recherche()


def test_chaque_critere_restreint_ce_qui_est_trouve() -> None:
    demande = Recherche.model_validate(
        {
            "q": "camion",
            "sens": "besoin",
            "nature": "logistique",
            "categorie": "vehicule-transport",
            "domaine": "solidarite-insertion",
            "quartier": "fives",
            "urgent": "false",
        }
    )
    assert filtre(demande, NOW) == {
        "etat": "publiee",
        "expire_at": {"$gt": NOW},
        "$text": {"$search": "camion", "$language": "french"},
        "sens": "besoin",
        "nature": "logistique",
        "categories": "vehicule-transport",
        "domaines": "solidarite-insertion",
        "lieu.quartier": "fives",
        "urgent": False,
    }


def test_un_rayon_est_en_kilometres_sur_la_terre() -> None:
    trouve = filtre(Recherche(**FIVES, rayon_km=RAYON_TERRE_KM / 100), NOW)
    assert trouve["position"] == {"$geoWithin": {"$centerSphere": [[3.09, 50.63], pytest.approx(0.01)]}}
    assert "position" not in filtre(Recherche(**FIVES), NOW)


@pytest.mark.parametrize(
    ("parametres", "ordre"),
    [
        ({}, Tri.RECENT),
        ({"q": "camion"}, Tri.PERTINENCE),
        ({"q": "camion", "tri": "recent"}, Tri.RECENT),
        ({"q": "camion", "tri": "pertinence"}, Tri.PERTINENCE),
        ({**FIVES, "tri": "distance"}, Tri.DISTANCE),
        (FIVES, Tri.RECENT),
    ],
)
def test_l_ordre_est_celui_demande_ou_celui_qui_a_un_sens(parametres: dict[str, Any], ordre: Tri) -> None:
    assert Recherche(**parametres).ordre is ordre


@pytest.mark.parametrize(
    ("parametres", "champ", "phrase"),
    [
        ({"lat": 50.6}, "lon", "ensemble"),
        ({"lon": 3.1}, "lon", "ensemble"),
        ({"rayon_km": 5}, "rayon_km", "demande une latitude et une longitude"),
        ({"tri": "distance"}, "tri", "demande une latitude et une longitude"),
        ({"tri": "pertinence"}, "tri", "des mots à chercher"),
        ({"page": 101, "taille": 100}, "taille", "10000 résultats"),
        ({"page": 501}, "taille", "10000 résultats"),
        ({**FIVES, "rayon_km": 0}, "rayon_km", "greater than 0"),
        ({**FIVES, "rayon_km": 500.1}, "rayon_km", "less than or equal to 500"),
        ({"lat": 90.1, "lon": 3}, "lat", "90"),
        ({"lat": -90.1, "lon": 3}, "lat", "-90"),
        ({"lat": 50, "lon": 180.1}, "lon", "180"),
        ({"lat": 50, "lon": -180.1}, "lon", "-180"),
        ({"taille": 101}, "taille", "100"),
        ({"taille": 0}, "taille", "1"),
        ({"page": 0}, "page", "1"),
        ({"q": "a" * 201}, "q", "200"),
    ],
)
def test_ce_qui_ne_se_cherche_pas_est_refuse_sur_son_champ(parametres: dict[str, Any], champ: str, phrase: str) -> None:
    ((nomme, message),) = refus(**parametres)
    assert nomme == champ
    assert phrase in message


def test_une_latitude_fausse_ne_donne_qu_une_erreur() -> None:
    assert [champ for champ, _ in refus(lat=91, lon=3, rayon_km=5, tri="distance")] == ["lat"]


@pytest.mark.parametrize(
    "parametres",
    [
        {"page": 100, "taille": 100},
        {"page": 500},
        {**FIVES, "rayon_km": 500},
        {"lat": -90, "lon": -180},
        {"lat": 90, "lon": 180},
        {"q": "a" * 200},
        {"taille": 1},
    ],
)
def test_les_bornes_sont_admises(parametres: dict[str, Any]) -> None:
    Recherche(**parametres)


def test_la_page_se_prend_apres_celles_d_avant_et_sans_double() -> None:
    (choix, facettes) = pipeline(Recherche(page=3, taille=10), NOW)
    assert choix == {"$match": filtre(Recherche(), NOW)}
    assert facettes["$facet"]["page"] == [{"$sort": {"publiee_at": -1, "_id": 1}}, {"$skip": 20}, {"$limit": 10}]
    assert facettes["$facet"]["total"] == [{"$count": "n"}]


def test_les_facettes_comptent_les_plus_frequentes_d_abord() -> None:
    facettes = pipeline(Recherche(), NOW)[-1]["$facet"]
    assert set(facettes) == {"page", "total", *FACETTES}
    assert facettes["categorie"] == [
        {"$unwind": "$categories"},
        {"$group": {"_id": "$categories", "n": {"$sum": 1}}},
        {"$sort": {"n": -1, "_id": 1}},
    ]


def test_les_plus_pertinentes_ou_les_plus_proches_d_abord() -> None:
    def tri(**parametres: Any) -> object:
        return pipeline(Recherche(**parametres), NOW)[-1]["$facet"]["page"][0]["$sort"]

    assert tri(q="camion") == {"score": {"$meta": "textScore"}, "_id": 1}
    assert tri(**FIVES, tri="distance") == {"distance_m": 1, "_id": 1}


LIEUX = st.tuples(st.floats(-90, 90), st.floats(-180, 180))


def evaluer(expression: Any, lon: float, lat: float) -> Any:
    """The value of an expression of MongoDB's aggregation, for a document at this place."""
    if not isinstance(expression, dict):
        return expression
    ((nom, brut),) = expression.items()
    if nom == "$arrayElemAt":
        return (lon, lat)[brut[1]]
    valeurs = [evaluer(v, lon, lat) for v in (brut if isinstance(brut, list) else [brut])]
    calculs: dict[str, Any] = {
        "$degreesToRadians": math.radians,
        "$pow": math.pow,
        "$sin": math.sin,
        "$cos": math.cos,
        "$asin": math.asin,
        "$sqrt": math.sqrt,
        "$divide": lambda a, b: a / b,
        "$subtract": lambda a, b: a - b,
        "$add": lambda *v: sum(v),
        "$multiply": lambda *v: math.prod(v),
        "$min": min,
        "$round": lambda v, n: round(v, n),
        "$toInt": int,
    }
    return calculs[nom](*valeurs)


@given(LIEUX, LIEUX)
def test_la_distance_est_celle_du_grand_cercle(ici: tuple[float, float], la: tuple[float, float]) -> None:
    """Compared with the angle between two vectors, which is another formula."""
    etape = pipeline(Recherche(lat=ici[0], lon=ici[1]), NOW)[1]
    trouvee = evaluer(etape["$addFields"]["distance_m"], la[1], la[0])

    def vecteur(lat: float, lon: float) -> tuple[float, float, float]:
        phi, theta = math.radians(lat), math.radians(lon)
        return math.cos(phi) * math.cos(theta), math.cos(phi) * math.sin(theta), math.sin(phi)

    u, v = vecteur(*ici), vecteur(*la)
    croix = math.hypot(u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0])
    angle = math.atan2(croix, sum(a * b for a, b in zip(u, v, strict=True)))
    # Near the antipodes the arc sine of one loses half of its digits: a few tenths of a metre.
    assert abs(trouvee - angle * RAYON_TERRE_KM * 1000) <= 1


def test_sans_point_aucune_distance_n_est_calculee() -> None:
    assert len(pipeline(Recherche(), NOW)) == 2
