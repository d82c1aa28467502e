"""Delivers what an operator owes (receipts, inbound SMS) and retries until it is accepted."""

import asyncio
import logging
import sqlite3
import time
from collections.abc import Awaitable, Callable
from typing import Any

from deploy.standins.sms_operators.pannes import Pannes
from deploy.standins.sms_operators.registre import OperatorStore, PendingDelivery

_LOG = logging.getLogger(__name__)
# Limits the delay if a wake-up is lost.
_LONGEST_WAIT_S = 30.0
# How long receipts are collected when their order is to be wrong.
_ATTENTE_DESORDRE_S = 0.5


class DeliveryLoop:
    """`remettre` returns whether the other side accepted; it is not called while `pret` returns False."""

    def __init__(
        self,
        registre: OperatorStore,
        pannes: Pannes,
        remettre: Callable[[PendingDelivery], Awaitable[bool]],
        pret: Callable[[], bool] = lambda: True,
        *,
        premier_delai_s: float = 0.5,
        delai_max_s: float = 30.0,
        a_la_fois: int = 16,
    ) -> None:
        self._registre, self._pannes = registre, pannes
        self._remettre, self._pret = remettre, pret
        self._premier_delai_s, self._delai_max_s, self._a_la_fois = premier_delai_s, delai_max_s, a_la_fois
        self._en_main: dict[int, asyncio.Task[None]] = {}
        self._reveil = asyncio.Event()

    def reveiller(self) -> None:
        """Call it when something new is owed, or when deliveries may be accepted again."""
        self._reveil.set()

    async def travailler(self) -> None:
        """Runs until it is cancelled."""
        try:
            while True:
                self._reveil.clear()
                try:
                    wait = self._partir()
                except sqlite3.Error:
                    _LOG.exception("le registre ne se lit pas")
                    wait = 1.0
                try:
                    async with asyncio.timeout(wait):
                        await self._reveil.wait()
                except TimeoutError:
                    pass
        finally:
            for task in self._en_main.values():
                task.cancel()
            await asyncio.gather(*self._en_main.values(), return_exceptions=True)

    def _partir(self) -> float:
        """Starts the deliveries that are due. Returns the seconds until the next one."""
        now = time.time()
        if not self._pret():
            return _LONGEST_WAIT_S
        free = self._a_la_fois - len(self._en_main)
        if free > 0:
            dues = self._registre.dues(
                now,
                self._a_la_fois * 2,
                sans_recus=self._pannes.recus_retenus,
                recentes=self._pannes.recus_desordre,
            )
            for sortie in [sortie for sortie in dues if sortie.id not in self._en_main][:free]:
                self._en_main[sortie.id] = asyncio.create_task(self._un(sortie))
        du = self._registre.prochaine(now)
        return _LONGEST_WAIT_S if du is None else min(_LONGEST_WAIT_S, max(0.0, du - now))

    async def _un(self, sortie: PendingDelivery) -> None:
        try:
            if await self._remettre(sortie):
                self._registre.rendue(sortie.id)
            else:
                # The exponent is bounded: after a week of attempts, the power would exceed a float.
                delay = min(self._delai_max_s, self._premier_delai_s * 2 ** min(sortie.essais, 20))
                self._registre.remettre_a(sortie.id, time.time() + delay)
        except sqlite3.Error:
            _LOG.exception("le registre ne s’écrit pas")
        finally:
            del self._en_main[sortie.id]
            self._reveil.set()


def echeances(pannes: Pannes, contenu: dict[str, Any]) -> list[tuple[float, dict[str, Any]]]:
    """Delivery times of a receipt (seconds since 1970) with its content; two when it is to be sent twice."""
    du = time.time() + pannes.delai_recus_ms / 1000 + (_ATTENTE_DESORDRE_S if pannes.recus_desordre else 0)
    return [(du, contenu)] * (2 if pannes.recus_doubles else 1)
