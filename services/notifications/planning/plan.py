"""Whether one alert to one person on one channel leaves now, later, in a digest or not at all, and why. Pure.

The first rule that applies decides; none ends without a reason, so that the ledger can tell each person why:

1. PAUSE: the person wants silence until a date. It wins over all, urgent needs included.
2. ANNONCE_DECLINEE: « not this need ».
3. CONSENTEMENT_ABSENT: the person did not choose this channel.
4. RESUME / CADENCE: somebody who wants digests gets mails in them, and neither SMS nor push. Not for urgent needs.
5. BUDGET: enough was sent in 7 days; ordinary and urgent alerts have a budget each. A mail goes into the next digest,
   an SMS or a push is not sent.
6. HEURES_CALMES: an SMS, urgent or not, waits for the hours in which it may be sent.
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
"""Over how long the sollicitations of `Faits` are counted."""


@dataclass(frozen=True)
class Preferences:
    """What one person wants.

    `budget_semaine`: ordinary alerts in 7 days on one channel; `budget_urgent`: urgent ones besides. `pause_jusqua`
    (aware): from then on alerts come again. `heures`: their own for SMS, which only narrow those of the rule.
    """

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
    """What is known of one alert. `normales`, `urgentes`: sent to this person on this channel in FENETRE_BUDGET."""

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
    """From `a` on (UTC), strictly after now."""

    a: dt.datetime
    motif: Motif


@dataclass(frozen=True)
class DansResume:
    """In the digest by e-mail of `a` (UTC). `motif`: RESUME; BUDGET where it would have left at once otherwise."""

    a: dt.datetime
    motif: Motif


@dataclass(frozen=True)
class Rien:
    motif: Motif


Plan = Maintenant | PlusTard | DansResume | Rien


def planifier(preferences: Preferences, faits: Faits, regle: Regle) -> Plan:
    """The first rule that applies, in the order above. `regle`: the hours of SMS in this installation."""
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
    # Whoever is written to at once has no day for digests: what was over budget comes the same evening.
    cadence = Cadence.QUOTIDIEN if preferences.cadence is Cadence.IMMEDIAT else preferences.cadence
    return prochain_resume(faits.now, cadence, preferences.resume_heure, preferences.resume_jour)


def _a_son_heure(preferences: Preferences, faits: Faits, regle: Regle) -> Plan:
    try:
        creneau = prochain_creneau(faits.now, regle.pour(preferences.heures))
    except HeuresImpossibles:
        return Rien(Motif.HEURES_IMPOSSIBLES)
    return Maintenant() if creneau <= faits.now else PlusTard(creneau, Motif.HEURES_CALMES)
