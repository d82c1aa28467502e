"""The reference lists as data (contracts/references/*.json): codes that events carry, labels that people read.

A published code is never renamed or removed, because events in the topics carry it. Labels may change.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from contracts import base
from contracts.commun import Code, Nature
from contracts.moderation import Issue, TypeCible

DOSSIER = Path(__file__).with_name("references")

Liste = Literal[
    "domaines",
    "activites",
    "materiels",
    "publics",
    "creneaux",
    "certifications",
    "quartiers",
    "motifs",
    "engagements",
]


class CodeInconnu(KeyError):
    """The list has no such code."""


class Valeur(base.Valeur):
    """One entry. `libelle` is a title for forms; `court` fits in a sentence ("samedi matin", "véhicule")."""

    # A misspelt field in the data must be an error, not be ignored.
    model_config = ConfigDict(frozen=True, extra="forbid")

    code: Code
    libelle: str
    court: str = ""

    @property
    def dans_une_phrase(self) -> str:
        """`court`, or the label with a lower-case first letter."""
        return self.court or self.libelle[:1].lower() + self.libelle[1:]


class Materiel(Valeur):
    """An object, or premises and vehicles. `nature` is the nature of the annonces that may use it."""

    nature: Literal[Nature.MATERIEL, Nature.LOGISTIQUE]


class Quartier(Valeur):
    """A part of the city with its approximate centre, WGS 84 degrees."""

    lat: float = Field(ge=-90, le=90)
    lon: float = Field(ge=-180, le=180)


class Motif(Valeur):
    """A reason that a moderator can choose.

    `explication` tells the author what to change. `issues` and `cibles`: decisions and targets for which it can be
    chosen. `engagement_requis`: the decision must name the commitment and quote the passage. `explication_requise`: the
    moderator must write an explanation.
    """

    explication: str
    issues: list[Issue]
    cibles: list[TypeCible]
    engagement_requis: bool = False
    explication_requise: bool = False


class Engagement(Valeur):
    """One of the seven commitments of the contrat d'engagement républicain."""

    numero: int = Field(ge=1, le=7)
    resume: str


T = TypeVar("T", bound=Valeur)


class Document(BaseModel, Generic[T]):
    """A file: the source of its values, and the values in display order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    version: str = ""
    ville: str = ""
    valeurs: list[T]


CLASSES: dict[str, type[Valeur]] = {
    "materiels": Materiel,
    "quartiers": Quartier,
    "motifs": Motif,
    "engagements": Engagement,
}


def _read(liste: Liste, classe: type[T]) -> tuple[Document[T], Mapping[str, T]]:
    document: Document[T] = Document[classe].model_validate(  # type: ignore[valid-type]  # a class chosen at run time
        json.loads((DOSSIER / f"{liste}.json").read_text(encoding="utf-8"))
    )
    return document, MappingProxyType({valeur.code: valeur for valeur in document.valeurs})


@cache
def _liste(liste: Liste) -> tuple[Document[Valeur], Mapping[str, Valeur]]:
    return _read(liste, CLASSES.get(liste, Valeur))


@cache
def quartiers() -> Mapping[str, Quartier]:
    """Code → quartier with its centre."""
    return _read("quartiers", Quartier)[1]


@cache
def materiels() -> Mapping[str, Materiel]:
    """Code → matériel or logistique, with its nature."""
    return _read("materiels", Materiel)[1]


@cache
def motifs() -> Mapping[str, Motif]:
    """Code → reason of a moderator."""
    return _read("motifs", Motif)[1]


@cache
def engagements() -> Mapping[str, Engagement]:
    """Code → commitment, in the order of their numbers."""
    return _read("engagements", Engagement)[1]


@cache
def categories() -> Mapping[str, Valeur]:
    """The categories of annonces and profils: activites, then materiels."""
    return MappingProxyType({**valeurs("activites"), **valeurs("materiels")})


def version_engagement() -> str:
    """The version of the contrat d'engagement républicain that is signed now."""
    return _liste("engagements")[0].version


def source(liste: Liste) -> str:
    """The source of the values of a list."""
    return _liste(liste)[0].source


def valeurs(liste: Liste) -> Mapping[str, Valeur]:
    """Code → value in display order; read from the file once, read-only."""
    return _liste(liste)[1]


def valeur(liste: Liste | Literal["categories"], code: str) -> Valeur:
    """One value. Raises CodeInconnu."""
    connues = categories() if liste == "categories" else valeurs(liste)
    if code not in connues:
        raise CodeInconnu(f"{liste} : {code}")
    return connues[code]


def libelle(liste: Liste | Literal["categories"], code: str) -> str:
    """The label of a code. Raises CodeInconnu."""
    return valeur(liste, code).libelle
