"""How long work may wait for a database: some seconds, since another process may reach it where we do not."""

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
    """What was begun cannot go on; another process may reach the database."""


class Patience:
    def __init__(self, ping: Callable[[], Awaitable[None]]) -> None:
        """`ping` raises when the database does not answer."""
        self._ping = ping
        self._unfinished: set[asyncio.Task[Any]] = set()

    async def until_back(self, stopping: asyncio.Event) -> bool:
        """Waits for the database, looking for it ever more rarely. False when `stopping` was set instead."""
        pause = _FIRST_PAUSE_S
        while not stopping.is_set():
            if await self._answers():
                return True
            await wait(stopping, jitter(pause))
            pause = min(pause * 2, _LONGEST_PAUSE_S)
        return False

    async def unless_away(self, work: Coroutine[Any, Any, T]) -> T:
        """What `work` returns or raises. Raises DatabaseAway, and cancels `work`, when the database has not answered
        for some seconds; work that merely takes long is not disturbed."""
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
        """Waits for what was cancelled: it may take as long as its connection to find out that nobody answers."""
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
