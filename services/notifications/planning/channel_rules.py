"""What holds a channel back, and what it costs."""

import datetime as dt
from typing import Protocol

from kit.mongo import Session
from services.notifications.planning.preferences import Choix


class Regles(Protocol):
    """What only some channels have: hours in which one may write, and a monthly ceiling."""

    async def sature(self) -> bool:
        """Whether the money of this month is spent."""
        ...

    def ouverture(self, choix: Choix | None, now: dt.datetime) -> dt.datetime | None:
        """From when somebody with these choices may be written to; None: now."""
        ...

    async def compter(self, parties: int, centimes: float, session: Session) -> None:
        """What was handed over costs so many parts, and so much; in the transaction that marks it."""
        ...


class SansRegles:
    """Of a channel that is free and silent."""

    async def sature(self) -> bool:
        return False

    def ouverture(self, choix: Choix | None, now: dt.datetime) -> dt.datetime | None:
        return None

    async def compter(self, parties: int, centimes: float, session: Session) -> None:
        return
