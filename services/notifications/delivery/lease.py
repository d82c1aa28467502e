"""The lease on a claimed lot: short, so that a crash is noticed soon, and prolonged while the lot is in hand."""

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from kit.errors import is_outage
from kit.logging import get_logger
from services.notifications import domain
from services.notifications.delivery.guichet import Guichet
from services.notifications.registre.rows import Ligne

log = get_logger(__name__)


class Bail:
    """`async with Bail(guichet, lot, lignes) as bail:` — claim with `prendre`, and begin no hand-off unless `tenu`."""

    def __init__(
        self,
        guichet: Guichet,
        lot: str,
        lignes: Sequence[Ligne],
        pris_at: float | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`pris_at`: when the rows were claimed (monotonic seconds); None: they are not yet."""
        self._guichet = guichet
        self._lot = lot
        self._lignes = lignes
        self._monotonic = monotonic
        self._pris_at = pris_at
        self._depuis = monotonic() if pris_at is None else pris_at
        self._prolongation: asyncio.Task[None] | None = None

    async def prendre(self) -> list[Ligne]:
        """The rows that are ours from now on. Raises what Mongo raises; may be called again then."""
        now = self._monotonic()
        if self._pris_at is None:
            lignes = await self._guichet.prendre(self._lignes, self._lot)
        elif now - self._pris_at < domain.PROLONGATION_S:
            return list(self._lignes)
        else:
            lignes = await self._guichet.renouveler(self._lot)
        self._depuis = now
        return lignes

    def tenu(self) -> bool:
        """False once somebody else may have taken the rows: this process stood still, or could not prolong."""
        return self._monotonic() - self._depuis < domain.BAIL.total_seconds()

    async def __aenter__(self) -> Self:
        self._prolongation = asyncio.create_task(self._prolonger())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        task = self._prolongation
        if task is not None and not task.cancel() and not task.cancelled():
            task.result()

    async def _prolonger(self) -> None:
        while True:
            await asyncio.sleep(domain.PROLONGATION_S)
            depuis = self._monotonic()
            try:
                sien = await self._guichet.prolonger([self._lot])
            except Exception as error:
                if not is_outage(error):
                    raise
                log.warning("lease_not_prolonged", error=type(error).__name__)
            else:
                # Prolonging what is somebody else's by now does not bring it back.
                self._depuis = depuis if sien else -math.inf
