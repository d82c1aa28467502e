"""Taking turns: people who answer the same annonce at the same moment wait here instead of colliding in Mongo.

Correctness does not rest on it (the transaction does that, over many processes); a crowd is served sooner, since no
transaction runs again and again.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

_PATIENCE_S = 5.0


class Tours:
    def __init__(self) -> None:
        # Weak: a lock lives as long as somebody holds it or waits for it.
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def de(self, key: str) -> AsyncIterator[None]:
        """One at a time for each `key`. Raises TimeoutError (a 503) after 5 s: no queue outlives its callers."""
        lock = self._locks.setdefault(key, asyncio.Lock())
        async with asyncio.timeout(_PATIENCE_S):
            await lock.acquire()
        try:
            yield
        finally:
            lock.release()
