"""Decides whether an alert to one person on one channel is sent now, later, in a digest or not at all, and why. Pure.

The first rule that applies decides. Every rule gives a motive, so that the ledger can tell each person why:
1. PAUSE: the person wants no alerts until a date. Applies to urgent annonces too.
2. ANNONCE_DECLINEE: the person has declined this annonce.
3. CONSENTEMENT_ABSENT: the person did not choose this channel.
4. RESUME / CADENCE: a person who wants digests gets e-mails in digests, and no SMS or push. Not for urgent annonces.
5. BUDGET: the budget for 7 days is used up; ordinary and urgent alerts have separate budgets. An e-mail goes into the
   next digest, an SMS or push is not sent.
6. HEURES_CALMES: an SMS, urgent or not, waits for the allowed hours.
"""

import datetime as dt
from dataclasses import dataclass

from contracts.envois import Motif
from contracts.notifications import Canal
from services.notifications.planning.calendar import (
    JEUDI,
    RESUME_HEURE,
    Cadence,
    Heures,
    HeuresImpossibles,
    Regle,
    prochain_creneau,
    prochain_resume,
)

FENETRE_BUDGET = dt.timedelta(days=7)
"""Period over which `Faits` counts alerts."""


@dataclass(frozen=True)
class Preferences:
    """What a person wants. `budget_semaine`: ordinary alerts in 7 days per channel; `budget_urgent`: urgent ones,
    counted separately. `pause_jusqua` (aware): alerts resume at this time. `heures`: own hours for SMS, which can only
    restrict the rule."""

    cadence: Cadence = Cadence.IMMEDIAT
    budget_semaine: int = 2
    budget_urgent: int = 2
    pause_jusqua: dt.datetime | None = None
    heures: Heures | None = None
    canaux: frozenset[Canal] = frozenset({Canal.EMAIL})
    resume_heure: dt.time = RESUME_HEURE
    resume_jour: int = JEUDI


@dataclass(frozen=True)
class Faits:
    """Facts about one alert. `normales`, `urgentes`: alerts sent to this person on this channel within
    FENETRE_BUDGET."""

    canal: Canal
    now: dt.datetime
    urgent: bool = False
    normales: int = 0
    urgentes: int = 0
    annonce_declinee: bool = False


@dataclass(frozen=True)
class Maintenant:
    pass


@dataclass(frozen=True)
class PlusTard:
    """Send it from `a` on (UTC, in the future)."""

    a: dt.datetime
    motif: Motif


@dataclass(frozen=True)
class DansResume:
    """Put it into the e-mail digest of `a` (UTC). `motif`: RESUME, or BUDGET if it would otherwise be sent at once."""

    a: dt.datetime
    motif: Motif


@dataclass(frozen=True)
class Rien:
    motif: Motif


Plan = Maintenant | PlusTard | DansResume | Rien


def planifier(preferences: Preferences, faits: Faits, regle: Regle) -> Plan:
    """The result of the first rule that applies. `regle`: hours for SMS of this installation."""
    silence = _silence(preferences, faits)
    if silence is not None:
        return Rien(silence)
    if preferences.cadence is not Cadence.IMMEDIAT and not faits.urgent:
        if faits.canal is Canal.EMAIL:
            return DansResume(_resume(preferences, faits), Motif.RESUME)
        return Rien(Motif.CADENCE)
    if _budget_epuise(preferences, faits):
        if faits.canal is Canal.EMAIL:
            return DansResume(_resume(preferences, faits), Motif.BUDGET)
        return Rien(Motif.BUDGET)
    return _a_son_heure(preferences, faits, regle) if faits.canal is Canal.SMS else Maintenant()


def _silence(preferences: Preferences, faits: Faits) -> Motif | None:
    if preferences.pause_jusqua is not None and faits.now < preferences.pause_jusqua:
        return Motif.PAUSE
    if faits.annonce_declinee:
        return Motif.ANNONCE_DECLINEE
    if faits.canal not in preferences.canaux:
        return Motif.CONSENTEMENT_ABSENT
    return None


def _budget_epuise(preferences: Preferences, faits: Faits) -> bool:
    if faits.urgent:
        return faits.urgentes >= preferences.budget_urgent
    return faits.normales >= preferences.budget_semaine


def _resume(preferences: Preferences, faits: Faits) -> dt.datetime:
    # A person without digests has no day for them: alerts over the budget are sent the same evening.
    cadence = Cadence.QUOTIDIEN if preferences.cadence is Cadence.IMMEDIAT else preferences.cadence
    return prochain_resume(faits.now, cadence, preferences.resume_heure, preferences.resume_jour)


def _a_son_heure(preferences: Preferences, faits: Faits, regle: Regle) -> Plan:
    try:
        creneau = prochain_creneau(faits.now, regle.pour(preferences.heures))
    except HeuresImpossibles:
        return Rien(Motif.HEURES_IMPOSSIBLES)
    return Maintenant() if creneau <= faits.now else PlusTard(creneau, Motif.HEURES_CALMES)
