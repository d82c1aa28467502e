"""Needs against offers, by domaine, quartier and week: what is counted, and in which week. Pure."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from contracts.annonces import Annonce

SEMAINE_S = 7 * 24 * 3600.0
# Windows are multiples of their length since 1970, which began on a Thursday; weeks begin on Monday (UTC).
_LUNDI_S = 4 * 24 * 3600.0
HORS_VILLE, SANS_DOMAINE = "hors-ville", "sans-domaine"


class Cellule(NamedTuple):
    """`sens`: besoin or offre. The others are codes of the lists, or say that there is none."""

    sens: str
    domaine: str
    quartier: str


def cellules(annonce: Annonce) -> list[Cellule]:
    """Where an annonce counts: once in each of its domaines."""
    quartier = annonce.lieu.quartier or HORS_VILLE
    return [Cellule(annonce.sens.value, domaine, quartier) for domaine in annonce.domaines or [SANS_DOMAINE]]


def instant(at: dt.datetime) -> float:
    """A time as the windows count it: two times of one week, from Monday on, lie in one window."""
    return at.timestamp() - _LUNDI_S


def debut(at: dt.datetime) -> float:
    """The beginning of the window of `at`."""
    return instant(at) // SEMAINE_S * SEMAINE_S


def avec(ids: list[str], annonce_id: str) -> list[str]:
    """An event that comes again counts once: a cell holds the ids, not a number."""
    return ids if annonce_id in ids else [*ids, annonce_id]


def cle(partition: int, cellule: Cellule) -> str:
    """Each partition has cells of its own: whoever has the partition, and nobody else, writes them."""
    return "|".join((str(partition), *cellule))


def compter(entrees: Iterable[tuple[str, list[str]]]) -> Counter[Cellule]:
    """Adds up the cells of several partitions; `entrees` are pairs of `cle` and ids."""
    nombres: Counter[Cellule] = Counter()
    for nom, ids in entrees:
        nombres[Cellule(*nom.split("|")[1:])] += len(ids)
    return nombres
