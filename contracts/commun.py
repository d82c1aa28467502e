"""Values shared by several events."""

from enum import StrEnum
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, Field

from contracts.base import Valeur

Code = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)]
"""A code of a reference list (contracts/references)."""

Identifiant = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]

Instant = AwareDatetime
"""Stored in UTC, shown in the time zone PARIS."""

PARIS = ZoneInfo("Europe/Paris")

JOURS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
"""In the order of date.weekday(); a code of the list creneaux begins with one of them ("samedi-matin")."""


class Sens(StrEnum):
    BESOIN = "besoin"
    OFFRE = "offre"


class Nature(StrEnum):
    BENEVOLAT = "benevolat"
    COMPETENCE = "competence"
    MATERIEL = "materiel"
    LOGISTIQUE = "logistique"


class Cession(StrEnum):
    DON = "don"
    PRET = "pret"


class TypeAuteur(StrEnum):
    ASSOCIATION = "association"
    PERSONNE_MORALE = "personne_morale"
    PARTICULIER = "particulier"


class Lieu(Valeur):
    """A place. `quartier` is a code of the list quartiers; `lat` and `lon` are WGS 84 degrees."""

    quartier: Code | None = None
    lat: float = Field(ge=-90, le=90)
    lon: float = Field(ge=-180, le=180)


class Auteur(Valeur):
    """The author of an annonce. `nom` is the public name of an association or company; None for a citizen."""

    type: TypeAuteur
    compte_id: Identifiant
    association_id: Identifiant | None = None
    nom: str | None = None
