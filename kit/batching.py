"""Groups concurrent calls: those that arrive while one is running are answered together by the next one.

Batches grow with the load, and without load no call waits. No call is answered by work that began before it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Generic, TypeVar

D = TypeVar("D")
R = TypeVar("R")

_GATHER_WITHIN_S = 0.1


class Batch(Generic[D, R]):
    def __init__(
        self, answer: Callable[[Sequence[D]], Awaitable[R]], enough: Callable[[int], bool] = lambda calls: True
    ) -> None:
        """`answer` takes the arguments of several calls; each call gets what it returns or raises. `enough` gets the
        number of waiting calls and returns False when more are about to come; these are waited for, at most 0.1 s."""
        self._answer = answer
        self._enough = enough
        self._arrived = asyncio.Event()
        self._waiting: list[tuple[D, asyncio.Future[R]]] = []
        self._running: asyncio.Task[None] | None = None

    async def __call__(self, argument: D) -> R:
        result: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((argument, result))
        self._arrived.set()
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run())
        return await result

    async def _run(self) -> None:
        while self._waiting:
            await self._gather()
            batch, self._waiting = self._waiting, []
            try:
                found = await self._answer([argument for argument, _ in batch])
            except Exception as error:
                for _, result in batch:
                    if not result.done():
                        result.set_exception(error)
            else:
                for _, result in batch:
                    if not result.done():
                        result.set_result(found)

    async def _gather(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_GATHER_WITHIN_S):
                while not self._enough(len(self._waiting)):
                    self._arrived.clear()
                    await self._arrived.wait()
