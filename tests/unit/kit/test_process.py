"""A worker that is told to stop while it still waits for its servers ends at once."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from kit.process import Loop, _live


async def test_a_stop_does_not_wait_for_servers_that_are_away() -> None:
    stopping = asyncio.Event()
    closed = asyncio.Event()

    @asynccontextmanager
    async def waits_for_ever() -> AsyncIterator[Sequence[Loop]]:
        stopping.set()
        try:
            await asyncio.Event().wait()
            yield []
        finally:
            closed.set()

    assert await asyncio.wait_for(_live(waits_for_ever(), stopping), 10) == 0
    assert closed.is_set()
