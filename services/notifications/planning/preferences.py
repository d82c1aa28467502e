"""The choices of a person about their messages, stored in the row of their contact. Pure.

Field `preferences` of `contacts`: {version, pause_jusqua?, budget_semaine, heures: {debut, fin}, cadences: {profil_id:
cadence}, refus: [annonce_id]}. The chosen channels are in the consents.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from contracts.notifications import Canal
from services.notifications.planning.calendar import Cadence, Heures
from services.notifications.planning.plan import Preferences

REFUS_GARDES = 500
"""Number of declined annonces kept; an annonce lives for weeks, so the oldest ones are over."""


SANS_LIMITE = 10**9


@dataclass(frozen=True)
class Choix:
    """`budget_semaine`: None means the platform's; 0 means that all ordinary alerts go into digests. `refus`: declined
    annonces. `heures`: own hours for SMS, whole hours in Paris; None means the platform's."""

    version: int = 0
    pause_jusqua: dt.datetime | None = None
    budget_semaine: int | None = None
    heures: Heures | None = None
    cadences: Mapping[str, Cadence] = field(default_factory=dict)
    refus: frozenset[str] = frozenset()

    def en_pause(self, now: dt.datetime) -> bool:
        return self.pause_jusqua is not None and now < self.pause_jusqua

    def attente(self, profil_id: str) -> int:
        """How long this profil lets its alerts wait, as a rank: 0 for those that want them at once."""
        return list(Cadence).index(self.cadences.get(profil_id, Cadence.IMMEDIAT))

    def pour(self, profil_id: str, accords: frozenset[Canal], budget: int) -> Preferences:
        """The preferences for planifier. `budget`: alerts in seven days allowed by the platform; 0 means no limit."""
        return Preferences(
            cadence=self.cadences.get(profil_id, Cadence.IMMEDIAT),
            budget_semaine=(budget or SANS_LIMITE) if self.budget_semaine is None else self.budget_semaine,
            budget_urgent=budget or SANS_LIMITE,
            pause_jusqua=self.pause_jusqua,
            heures=self.heures,
            canaux=accords,
        )


SANS_CHOIX = Choix()
"""The choices of a person who has chosen nothing."""


def lire(ligne: Mapping[str, Any]) -> Choix:
    """Reads the choices from a row of `contacts`; returns the defaults when there are none."""
    brut = ligne.get("preferences")
    if not brut:
        return SANS_CHOIX
    heures = brut.get("heures")
    return Choix(
        version=brut.get("version", 0),
        pause_jusqua=brut.get("pause_jusqua"),
        budget_semaine=brut.get("budget_semaine"),
        heures=Heures(dt.time(heures["debut"]), dt.time(heures["fin"])) if heures else None,
        cadences={profil_id: Cadence(nom) for profil_id, nom in brut.get("cadences", {}).items()},
        refus=frozenset(brut.get("refus", ())),
    )
