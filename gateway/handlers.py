"""What the gateway does with events: what it keeps of an annonce, an association or an account is out of date."""

import asyncio
from collections.abc import Sequence

from contracts.comptes import EvenementCompte
from gateway.cache import Pages
from gateway.memory import MemoryAway
from gateway.rights import DroitsDesComptes
from kit.messaging.events import Record

_RETRY_S = 1.0


class Invalidation:
    """Stands where a Processor does. The records are not even decoded: that something changed, and of which account, is
    all there is to know, so no message can be poison here, and one that is seen twice does no harm."""

    def __init__(self, pages: Pages, droits: DroitsDesComptes) -> None:
        self._pages = pages
        self._droits = droits

    async def process(self, records: Sequence[Record]) -> None:
        """Returns once Redis knows; while it is away, nothing is served from it either."""
        accounts = {r.key.decode("utf-8", "replace") for r in records if r.topic == EvenementCompte.topic and r.key}
        pages = any(record.topic != EvenementCompte.topic for record in records)
        while True:
            try:
                await self._droits.oublier(accounts)
                if pages:
                    await self._pages.invalidate()
                return
            except MemoryAway:
                await asyncio.sleep(_RETRY_S)
