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
from services.notifications.delivery.claims import Prises
from services.notifications.delivery.deliverer import Livreur

log = get_logger(__name__)

_LIMITE = 500
_TOUTES_LES_S = 0.5
_TOUT_REVOIR_S = 30.0
_RECUL = dt.timedelta(seconds=5)
"""Rows that became due since the last look, and some that were committed late or by a slow clock. Looking further back
each time would cost more with each mail: in the index of what is to be taken up, a row that is done leaves an entry
behind, which is stepped over for minutes."""


class Balayeur:
    """The sweeper of one channel in one process."""

    def __init__(
        self, livreur: Livreur, prises: Prises, clock: Clock, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._livreur = livreur
        self._prises = prises
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
            # Those who hold claims were stopped by the same outage: they mark first. Any other error ends the process.
            self._calme_depuis, self._tout_vu_at = self._monotonic(), -math.inf
            raise

    async def passer(self) -> bool:
        """One look. True when it took as much as it may: there is more to take at once."""
        now = self._monotonic()
        calme, tout = now - self._calme_depuis > domain.REPIT_S, now - self._tout_vu_at >= _TOUT_REVOIR_S
        depuis = None if tout else self._clock.now() - _RECUL
        repris = await self._livreur.reprendre(_LIMITE, depuis)
        # Last: rows in the open transaction of a killed process block until the database ends that transaction.
        incertains = await self._prises.rendre_incertains(self._livreur.nom) if calme else 0
        if incertains:
            log.warning("envois_uncertain", count=incertains)
        if repris.reste:
            # It grows older than a short look reaches.
            self._tout_vu_at = -math.inf
        elif tout:
            self._tout_vu_at = now
        return repris.nombre == _LIMITE
