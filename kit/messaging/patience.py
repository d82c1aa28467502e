"""Gives up work when the database has been away for some seconds, because another process may still reach it."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from kit.logging import get_logger
from kit.waiting import jitter, wait

log = get_logger(__name__)
T = TypeVar("T")

_PATIENCE_S = 5.0
_LOOK_EVERY_S, _LOOK_S = 1.0, 2.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 5.0


class DatabaseAway(Exception):
    """The work was interrupted because the database is away; another process may be able to do it."""


class Patience:
    def __init__(self, ping: Callable[[], Awaitable[None]]) -> None:
        """`ping` raises when the database does not answer."""
        self._ping = ping
        self._unfinished: set[asyncio.Task[Any]] = set()

    async def until_back(self, stopping: asyncio.Event) -> bool:
        """Waits until the database answers, with growing pauses. Returns False when `stopping` was set instead."""
        pause = _FIRST_PAUSE_S
        while not stopping.is_set():
            if await self._answers():
                return True
            await wait(stopping, jitter(pause))
            pause = min(pause * 2, _LONGEST_PAUSE_S)
        return False

    async def unless_away(self, work: Coroutine[Any, Any, T]) -> T:
        """Returns or raises what `work` does. Cancels `work` and raises DatabaseAway when the database has not answered
        for `_PATIENCE_S`; slow work is not interrupted while the database answers."""
        task = asyncio.create_task(work)
        self._unfinished.add(task)
        task.add_done_callback(self._unfinished.discard)
        clock = asyncio.get_running_loop().time
        answered = clock()
        try:
            while not task.done():
                await asyncio.wait({task}, timeout=_LOOK_EVERY_S)
                if task.done() or await self._answers():
                    answered = clock()
                elif clock() - answered >= _PATIENCE_S:
                    raise DatabaseAway
            return task.result()
        finally:
            task.cancel()

    async def settle(self) -> None:
        """Waits for cancelled work to end, which takes as long as its connection needs to time out."""
        if self._unfinished:
            await asyncio.wait(self._unfinished)

    async def _answers(self) -> bool:
        try:
            async with asyncio.timeout(_LOOK_S):
                await self._ping()
        except Exception as error:
            log.warning("database_does_not_answer", error=type(error).__name__)
            return False
        return True
