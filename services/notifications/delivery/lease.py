"""The lease on a claimed lot: short, so that a crash is noticed soon, and extended while the lot is in hand."""

import asyncio
import math
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from kit.errors import is_outage
from kit.logging import get_logger
from services.notifications import domain
from services.notifications.delivery.claimed_ahead import Lot
from services.notifications.delivery.claims import Claims
from services.notifications.registre.rows import Ligne

log = get_logger(__name__)


class Lease:
    """`async with Lease(claims, lot) as lease:` — call `claim`, then begin no hand-off unless `held()`."""

    def __init__(self, claims: Claims, lot: Lot, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._claims = claims
        self._lot = lot
        self._monotonic = monotonic
        self._since = monotonic() if lot.claimed_at is None else lot.claimed_at
        self._extension: asyncio.Task[None] | None = None

    async def claim(self) -> list[Ligne]:
        """The rows that are ours from now on. Raises what Mongo raises; may be called again then."""
        now = self._monotonic()
        if self._lot.claimed_at is None:
            lignes = await self._claims.claim(self._lot.lignes, self._lot.id)
        elif now - self._lot.claimed_at < domain.PROLONGATION_S:
            return list(self._lot.lignes)
        else:
            lignes = await self._claims.renew(self._lot.id)
        self._since = now
        return lignes

    def held(self) -> bool:
        """False once somebody else may have taken the rows: this process stood still, or could not extend the lease."""
        return self._monotonic() - self._since < domain.BAIL.total_seconds()

    async def __aenter__(self) -> Self:
        self._extension = asyncio.create_task(self._extend())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        task = self._extension
        if task is not None and not task.cancel() and not task.cancelled():
            task.result()

    async def _extend(self) -> None:
        while True:
            await asyncio.sleep(domain.PROLONGATION_S)
            since = self._monotonic()
            try:
                ours = await self._claims.extend([self._lot.id])
            except Exception as error:
                if not is_outage(error):
                    raise
                log.warning("lease_not_extended", error=type(error).__name__)
            else:
                # A lease that is gone does not come back: somebody else may hand these rows over.
                self._since = since if ours else -math.inf
