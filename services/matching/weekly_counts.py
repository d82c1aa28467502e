"""Weekly counts of besoins and offres by domaine and quartier: which cells an annonce counts in, and in which week.
Pure."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from contracts.annonces import Annonce

SEMAINE_S = 7 * 24 * 3600.0
# Faust's windows are multiples of their length since 1970-01-01, a Thursday; our weeks begin on Monday (UTC).
_LUNDI_S = 4 * 24 * 3600.0
HORS_VILLE, SANS_DOMAINE = "hors-ville", "sans-domaine"


class Cellule(NamedTuple):
    """`sens` is besoin or offre. The others are codes of the reference lists, or say that there is none."""

    sens: str
    domaine: str
    quartier: str


def cellules(annonce: Annonce) -> list[Cellule]:
    """The cells in which an annonce counts: one for each of its domaines."""
    quartier = annonce.lieu.quartier or HORS_VILLE
    return [Cellule(annonce.sens.value, domaine, quartier) for domaine in annonce.domaines or [SANS_DOMAINE]]


def instant(at: dt.datetime) -> float:
    """The time shifted so that Faust's windows are weeks that begin on Monday."""
    return at.timestamp() - _LUNDI_S


def debut(at: dt.datetime) -> float:
    """The beginning of the window that contains `at`."""
    return instant(at) // SEMAINE_S * SEMAINE_S


def avec(ids: list[str], annonce_id: str) -> list[str]:
    """A cell holds ids rather than a number, so that an event delivered twice counts once."""
    return ids if annonce_id in ids else [*ids, annonce_id]


def cle(partition: int, cellule: Cellule) -> str:
    """The key contains the partition: each cell is written only by the worker that has this partition."""
    return "|".join((str(partition), *cellule))


def compter(entrees: Iterable[tuple[str, list[str]]]) -> Counter[Cellule]:
    """Adds up the cells of several partitions. `entrees` are pairs (key made by `cle`, ids)."""
    nombres: Counter[Cellule] = Counter()
    for nom, ids in entrees:
        nombres[Cellule(*nom.split("|")[1:])] += len(ids)
    return nombres
