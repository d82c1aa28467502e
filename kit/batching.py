"""Calls that come while one is under way are answered together by the next: they grow with the load, and none waits
without a reason. Nobody gets an answer to a question that was asked before theirs."""

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
        """`repondre`: answers several demands at once; what it returns or raises, each of them gets. `assez`: false of
        a number of demands to which others are about to come; they are waited for, a moment at most."""
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
