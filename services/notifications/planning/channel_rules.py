"""Limits of a channel: allowed hours and cost."""

import datetime as dt
from typing import Protocol

from kit.database.mongo import Session
from services.notifications.planning.preferences import Choix


class Regles(Protocol):
    """Allowed hours and monthly spending limit of a channel."""

    async def sature(self) -> bool:
        """True when the budget of this month is used up."""
        ...

    def ouverture(self, choix: Choix | None, now: dt.datetime) -> dt.datetime | None:
        """From when a person with these choices may be written to; None means now."""
        ...

    async def compter(self, parties: int, centimes: float, session: Session) -> None:
        """Adds the cost of messages handed over, in the transaction that marks them."""
        ...


class SansRegles:
    """A channel without cost or quiet hours."""

    async def sature(self) -> bool:
        return False

    def ouverture(self, choix: Choix | None, now: dt.datetime) -> dt.datetime | None:
        return None

    async def compter(self, parties: int, centimes: float, session: Session) -> None:
        return
