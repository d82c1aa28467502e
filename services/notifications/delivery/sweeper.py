"""Takes up what others left: rows whose deliverer died, failures that are due, claims whose lease is over."""

import asyncio
import datetime as dt
import math
import time
from collections.abc import Callable

from kit.clock import Clock
from kit.logging import get_logger
from kit.waiting import every
from services.notifications import domain
from services.notifications.delivery.deliverer import Deliverer

log = get_logger(__name__)

_LIMITE = 500
_TOUTES_LES_S = 0.5
_TOUT_REVOIR_S = 30.0
_RECUL = dt.timedelta(seconds=5)
"""Rows that became due since the last look, and some that were committed late or by a slow clock. Looking further back
each time would cost more with each mail: in the index of what is to be taken up, a row that is done leaves an entry
behind, which is stepped over for minutes."""


class Sweeper:
    """The sweeper of one channel in one process."""

    def __init__(self, deliverer: Deliverer, clock: Clock, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._deliverer = deliverer
        self._clock = clock
        self._monotonic = monotonic
        self._calme_depuis = monotonic()
        self._tout_vu_at = -math.inf

    async def run(self, stopping: asyncio.Event) -> None:
        """Until `stopping`; a database that is away is waited for."""
        await every(_TOUTES_LES_S, self._regarder, stopping, away="envois_sweep_waits")

    async def _regarder(self) -> bool:
        try:
            return await self.passer()
        except Exception:
            # Whoever holds claims was stopped by the same outage, and gets the time to mark them first. Any other error
            # than an outage ends the process.
            self._calme_depuis, self._tout_vu_at = self._monotonic(), -math.inf
            raise

    async def passer(self) -> bool:
        """One look. True when it took as much as it may: there is more to take at once."""
        now = self._monotonic()
        calme, tout = now - self._calme_depuis > domain.REPIT_S, now - self._tout_vu_at >= _TOUT_REVOIR_S
        depuis = None if tout else self._clock.now() - _RECUL
        repris = await self._deliverer.take_due(_LIMITE, depuis)
        # Last: rows in the open transaction of a killed process block until the database ends that transaction.
        incertains = await self._deliverer.give_up_expired() if calme else 0
        if incertains:
            log.warning("envois_uncertain", count=incertains)
        if repris.reste:
            # What is left will be too old for a short look.
            self._tout_vu_at = -math.inf
        elif tout:
            self._tout_vu_at = now
        return repris.nombre == _LIMITE
