"""Hours in which SMS may be sent, and hours of digests. Pure; datetimes are UTC in and out.

Source of the hours: French rules for SMS (Monday to Saturday 8-20 h, never on Sundays or public holidays).
"""

import datetime as dt
import functools
import itertools
from dataclasses import dataclass, replace
from enum import StrEnum
from zoneinfo import ZoneInfo

import holidays

from contracts.commun import PARIS

JEUDI = 3
"""Days are numbered like in Python: Monday is 0."""

RESUME_HEURE = dt.time(18)


class Cadence(StrEnum):
    """How often somebody wants to get alerts, the soonest first."""

    IMMEDIAT = "immediat"
    QUOTIDIEN = "quotidien"
    HEBDOMADAIRE = "hebdomadaire"


class HeuresImpossibles(ValueError):
    """These hours would never allow a message. The text is a French sentence for the person who chose them."""


@dataclass(frozen=True)
class Heures:
    """From `debut` (included) to `fin` (excluded), in the time zone of the rule; never across midnight."""

    debut: dt.time = dt.time(8)
    fin: dt.time = dt.time(20)

    def __post_init__(self) -> None:
        """Raises HeuresImpossibles."""
        if self.debut >= self.fin:
            raise HeuresImpossibles(
                f"Les heures vont de {_lisible(self.debut)} à {_lisible(self.fin)} : "
                "la première doit venir avant la seconde."
            )


@dataclass(frozen=True)
class Regle:
    """When SMS may be sent. `feries`: not on public holidays. `alsace_moselle`: includes their two additional public
    holidays."""

    heures: Heures = Heures()
    jours: frozenset[int] = frozenset(range(6))
    feries: bool = True
    alsace_moselle: bool = False
    fuseau: ZoneInfo = PARIS

    def __post_init__(self) -> None:
        """Raises HeuresImpossibles."""
        if not self.jours & frozenset(range(7)):
            raise HeuresImpossibles("Il faut au moins un jour de la semaine où un SMS peut partir.")

    def pour(self, heures: Heures | None) -> "Regle":
        """The rule for a person, whose own hours can only restrict it. Raises HeuresImpossibles."""
        if heures is None:
            return self
        debut, fin = max(self.heures.debut, heures.debut), min(self.heures.fin, heures.fin)
        if debut >= fin:
            raise HeuresImpossibles(
                f"Les SMS ne partent qu’entre {_lisible(self.heures.debut)} et {_lisible(self.heures.fin)} : "
                "choisissez des heures qui en font partie."
            )
        return replace(self, heures=Heures(debut, fin))

    def ouvre(self, jour: dt.date) -> bool:
        """True when SMS are allowed on this day."""
        return jour.weekday() in self.jours and not (self.feries and ferie(jour, alsace_moselle=self.alsace_moselle))


def ferie(jour: dt.date, *, alsace_moselle: bool = False) -> bool:
    """Whether this day is a public holiday of metropolitan France."""
    return jour in _feries(alsace_moselle)


def permis(at: dt.datetime, regle: Regle) -> bool:
    """True when an SMS may be sent at this moment. Raises ValueError without a time zone."""
    jour = _local(at, regle.fuseau).date()
    return regle.ouvre(jour) and _ouverture(jour, regle) <= at < _fermeture(jour, regle)


def prochain_creneau(at: dt.datetime, regle: Regle) -> dt.datetime:
    """The first allowed moment from `at` on, which may be `at` itself. Raises ValueError without a time zone."""
    jour = _local(at, regle.fuseau).date()
    for ecart in itertools.count():
        essai = jour + dt.timedelta(days=ecart)
        # In the night when clocks go forward, allowed hours may not exist: try the next day.
        debut = max(at, _ouverture(essai, regle))
        if regle.ouvre(essai) and debut < _fermeture(essai, regle):
            return debut.astimezone(dt.UTC)
    raise AssertionError("some day of a week is open, and not every one of them is a holiday")


def prochain_resume(
    at: dt.datetime,
    cadence: Cadence,
    heure: dt.time = RESUME_HEURE,
    jour: int = JEUDI,
    fuseau: ZoneInfo = PARIS,
) -> dt.datetime:
    """When the next digest is sent, strictly after `at`; `jour` matters for weekly digests only.

    Raises ValueError for IMMEDIAT, which has no digest, for an invalid day, and without a time zone.
    """
    if cadence is Cadence.IMMEDIAT:
        raise ValueError("an immediate cadence has no digest")
    if jour not in range(7):
        raise ValueError(f"no day of the week: {jour}")
    debut = _local(at, fuseau).date()
    jours = (debut + dt.timedelta(days=ecart) for ecart in range(9))
    instants = (
        _instant(essai, heure, fuseau) for essai in jours if cadence is Cadence.QUOTIDIEN or essai.weekday() == jour
    )
    return next(instant for instant in instants if instant > at)


def _ouverture(jour: dt.date, regle: Regle) -> dt.datetime:
    return _instant(jour, regle.heures.debut, regle.fuseau)


def _fermeture(jour: dt.date, regle: Regle) -> dt.datetime:
    return _instant(jour, regle.heures.fin, regle.fuseau)


def _instant(jour: dt.date, heure: dt.time, fuseau: ZoneInfo) -> dt.datetime:
    """The first moment of that day at which local time is `heure` or later: the first of two when the hour is repeated,
    the end of the gap when the hour is skipped."""
    mural = dt.datetime.combine(jour, heure.replace(tzinfo=None, fold=0), fuseau)
    avant, apres = mural.replace(fold=1).astimezone(dt.UTC), mural.astimezone(dt.UTC)
    if avant >= apres:
        # Normal hours, and repeated ones, of which `apres` is the first.
        return apres
    # The hour is skipped: search for the moment of the jump.
    while apres - avant > dt.timedelta(microseconds=1):
        milieu = avant + (apres - avant) / 2
        saute = milieu.astimezone(fuseau).replace(tzinfo=None) >= mural.replace(tzinfo=None)
        avant, apres = (avant, milieu) if saute else (milieu, apres)
    return apres


def _local(at: dt.datetime, fuseau: ZoneInfo) -> dt.datetime:
    if at.tzinfo is None:
        raise ValueError("a moment without a time zone")
    return at.astimezone(fuseau)


@functools.cache
def _feries(alsace_moselle: bool) -> holidays.HolidayBase:
    """Computes years on demand. The code 6AE is Alsace; Moselle has the same two additional days (Good Friday, 26
    December)."""
    return holidays.country_holidays("FR", subdiv="6AE" if alsace_moselle else None)


def _lisible(heure: dt.time) -> str:
    return f"{heure.hour} h {heure.minute:02}" if heure.minute else f"{heure.hour} h"
