"""What the gateway does with events: an annonce or an association changed, so cached pages are not fresh any more."""

import asyncio
from collections.abc import Sequence

from gateway.cache import Pages
from gateway.memory import MemoryAway
from kit.events import Record

_RETRY_S = 1.0


class Invalidation:
    """Stands where a Processor does. The records are not even decoded: that something changed is all there is to know,
    so no message can be poison here, and one that is seen twice does no harm."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def process(self, records: Sequence[Record]) -> None:
        """Returns once Redis knows; while it is away, pages are not served from it either."""
        if not records:
            return
        while True:
            try:
                return await self._pages.invalidate()
            except MemoryAway:
                await asyncio.sleep(_RETRY_S)
