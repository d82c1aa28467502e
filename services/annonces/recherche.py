"""The search: its parameters, and the one aggregation that finds a page, its total and its facets. Pure."""

import datetime as dt
import math
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, ValidationInfo, field_validator, model_validator

from contracts.annonces import EtatAnnonce
from contracts.commun import Code, Nature, Sens
from services.annonces.saisie import Ligne, Requete, avec_la_latitude

RAYON_TERRE_KM = 6371.0088
_PROFONDEUR_MAX = 10_000

FACETTES = {
    "sens": "$sens",
    "nature": "$nature",
    "categorie": "$categories",
    "domaine": "$domaines",
    "quartier": "$lieu.quartier",
}


class Tri(StrEnum):
    RECENT = "recent"
    DISTANCE = "distance"
    PERTINENCE = "pertinence"


def _ou_vide(schema: dict[str, Any]) -> None:
    """Says in the description that the parameter may be there without a value."""
    if "anyOf" not in schema:
        schema["anyOf"] = [{name: schema.pop(name) for name in [*schema] if name not in ("title", "default")}]
    schema["anyOf"].append({"type": "string", "maxLength": 0})


def _facultatif(default: Any = None, **rules: Any) -> Any:
    return Field(default=default, json_schema_extra=_ou_vide, **rules)


class Recherche(Requete):
    """`lat`, `lon` in degrees, `rayon_km` in km. Without `tri`: by relevance if there are words, else the newest.

    A parameter without a value is as good as absent: forms send them so.
    """

    q: Annotated[Ligne, Field(max_length=200)] | None = _facultatif()
    sens: Sens | None = _facultatif()
    nature: Nature | None = _facultatif()
    categorie: Code | None = _facultatif()
    domaine: Code | None = _facultatif()
    quartier: Code | None = _facultatif()
    urgent: bool | None = _facultatif()
    lat: float | None = _facultatif(default=None, ge=-90, le=90)
    lon: float | None = _facultatif(default=None, ge=-180, le=180, validate_default=True)
    rayon_km: float | None = _facultatif(default=None, gt=0, le=500)
    tri: Tri | None = _facultatif()
    page: int = _facultatif(default=1, ge=1)
    taille: int = _facultatif(default=20, ge=1, le=100, validate_default=True)

    @model_validator(mode="before")
    @classmethod
    def _sans_vides(cls, valeurs: Any) -> Any:
        if not isinstance(valeurs, Mapping):
            return valeurs
        return {nom: valeur for nom, valeur in valeurs.items() if valeur != ""}

    @field_validator("lon")
    @classmethod
    def _point_entier(cls, lon: float | None, info: ValidationInfo) -> float | None:
        return avec_la_latitude(lon, info)

    @field_validator("rayon_km", "tri")
    @classmethod
    def _depuis_un_point(cls, valeur: Any, info: ValidationInfo) -> Any:
        demande_un_point = valeur is not None if info.field_name == "rayon_km" else valeur is Tri.DISTANCE
        if demande_un_point and info.data.get("lat", 0.0) is None:
            raise ValueError("Un rayon ou un tri par distance demande une latitude et une longitude.")
        if valeur is Tri.PERTINENCE and info.data.get("q", "?") is None:
            raise ValueError("Un tri par pertinence demande des mots à chercher.")
        return valeur

    @field_validator("taille")
    @classmethod
    def _pas_trop_loin(cls, taille: int, info: ValidationInfo) -> int:
        if info.data.get("page", 1) * taille > _PROFONDEUR_MAX:
            raise ValueError(f"On ne va pas au-delà de {_PROFONDEUR_MAX} résultats\u00a0: précisez la recherche.")
        return taille

    @property
    def ordre(self) -> Tri:
        if self.tri is not None:
            return self.tri
        return Tri.PERTINENCE if self.q else Tri.RECENT


def filtre(recherche: Recherche, now: dt.datetime) -> dict[str, Any]:
    """Published, not over, and what was asked for."""
    trouve: dict[str, Any] = {"etat": EtatAnnonce.PUBLIEE.value, "expire_at": {"$gt": now}}
    if recherche.q:
        trouve["$text"] = {"$search": recherche.q, "$language": "french"}
    egaux = {
        "sens": recherche.sens and recherche.sens.value,
        "nature": recherche.nature and recherche.nature.value,
        "categories": recherche.categorie,
        "domaines": recherche.domaine,
        "lieu.quartier": recherche.quartier,
        "urgent": recherche.urgent,
    }
    trouve.update({champ: valeur for champ, valeur in egaux.items() if valeur is not None})
    if recherche.rayon_km is not None:
        # Not $geoNear: Mongo does not allow it together with $text.
        centre = [[recherche.lon, recherche.lat], recherche.rayon_km / RAYON_TERRE_KM]
        trouve["position"] = {"$geoWithin": {"$centerSphere": centre}}
    return trouve


def pipeline(recherche: Recherche, now: dt.datetime) -> list[dict[str, Any]]:
    """Gives one document: page (annonces with distance_m), total ([{n}]), and per facet [{_id: code, n}]."""
    etapes: list[dict[str, Any]] = [{"$match": filtre(recherche, now)}]
    if recherche.lat is not None and recherche.lon is not None:
        etapes.append({"$addFields": {"distance_m": _distance_m(recherche.lat, recherche.lon)}})
    page: list[dict[str, Any]] = [
        {"$sort": _tri(recherche.ordre)},
        {"$skip": (recherche.page - 1) * recherche.taille},
        {"$limit": recherche.taille},
    ]
    facettes = {nom: _compter(champ) for nom, champ in FACETTES.items()}
    return [*etapes, {"$facet": {"page": page, "total": [{"$count": "n"}], **facettes}}]


def _tri(ordre: Tri) -> dict[str, Any]:
    # The id makes the order total, so that no annonce is on two pages.
    if ordre is Tri.DISTANCE:
        return {"distance_m": 1, "_id": 1}
    if ordre is Tri.PERTINENCE:
        return {"score": {"$meta": "textScore"}, "_id": 1}
    return {"publiee_at": -1, "_id": 1}


def _compter(champ: str) -> list[dict[str, Any]]:
    return [
        {"$unwind": champ},
        {"$group": {"_id": champ, "n": {"$sum": 1}}},
        {"$sort": {"n": -1, "_id": 1}},
    ]


def _distance_m(lat: float, lon: float) -> dict[str, Any]:
    """The great-circle distance (haversine) from a point to `position`, in whole metres, as a Mongo expression."""
    ici_lon = {"$degreesToRadians": {"$arrayElemAt": ["$position.coordinates", 0]}}
    ici_lat = {"$degreesToRadians": {"$arrayElemAt": ["$position.coordinates", 1]}}
    la_lat, la_lon = math.radians(lat), math.radians(lon)

    def demi_sinus_carre(angle: dict[str, Any], autre: float) -> dict[str, Any]:
        return {"$pow": [{"$sin": {"$divide": [{"$subtract": [angle, autre]}, 2]}}, 2]}

    corde = {
        "$add": [
            demi_sinus_carre(ici_lat, la_lat),
            {"$multiply": [{"$cos": ici_lat}, math.cos(la_lat), demi_sinus_carre(ici_lon, la_lon)]},
        ]
    }
    arc = {"$multiply": [2, {"$asin": {"$min": [1, {"$sqrt": corde}]}}]}
    return {"$toInt": {"$round": [{"$multiply": [arc, RAYON_TERRE_KM * 1000]}, 0]}}
