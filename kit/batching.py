"""Groups concurrent calls: those that arrive while one call is running are answered together by the next one.

Batches grow with the load without any timer, and no caller gets an answer computed before it asked.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Generic, TypeVar

D = TypeVar("D")
R = TypeVar("R")

_PATIENCE_S = 0.1


class Ensemble(Generic[D, R]):
    def __init__(
        self, repondre: Callable[[Sequence[D]], Awaitable[R]], assez: Callable[[int], bool] = lambda demandes: True
    ) -> None:
        """`repondre` answers several requests at once; each caller gets what it returns or raises. `assez` returns
        False for a number of requests to which more are about to come: the group then waits for them, at most
        `_PATIENCE_S`."""
        self._repondre = repondre
        self._assez = assez
        self._arrivee = asyncio.Event()
        self._attente: list[tuple[D, asyncio.Future[R]]] = []
        self._en_cours: asyncio.Task[None] | None = None

    async def __call__(self, demande: D) -> R:
        reponse: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._attente.append((demande, reponse))
        self._arrivee.set()
        if self._en_cours is None or self._en_cours.done():
            self._en_cours = asyncio.create_task(self._vider())
        return await reponse

    async def _vider(self) -> None:
        while self._attente:
            await self._rassembler()
            lot, self._attente = self._attente, []
            try:
                trouve = await self._repondre([demande for demande, _ in lot])
            except Exception as error:
                for _, reponse in lot:
                    if not reponse.done():
                        reponse.set_exception(error)
            else:
                for _, reponse in lot:
                    if not reponse.done():
                        reponse.set_result(trouve)

    async def _rassembler(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_S):
                while not self._assez(len(self._attente)):
                    self._arrivee.clear()
                    await self._arrivee.wait()
