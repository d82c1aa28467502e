"""/sante/vivant, /sante/pret and /metrics: the same for every process, on a port of their own.

Alive: the event loop turns. Ready: this process can do its own work (prepared, index loaded, group joined). Neither
asks the servers that all processes share: when one of them is away, no orchestrator may withdraw every process at once,
with the cache that could have served. Servers are told beside: in the body of /sante/pret, and by the metric server_up.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any

import orjson
from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from kit.errors import is_outage
from kit.logging import get_logger
from kit.metrics import HEALTH_OK, SERVER_UP

log = get_logger(__name__)

Check = Callable[[], Awaitable[object]]

_CHECK_TIMEOUT_S = 2.0
# Whoever asks for readiness waits for this: less than what an orchestrator allows for an answer.
_SERVER_TIMEOUT_S = 1.0


class NotReady(Exception):
    """What this process needs before it can work is not there yet. Its text is shown to operators as it is."""


class Health:
    """`checks`: name → a function that raises when this process cannot do its work.

    `servers`: name → a function that raises when a server that others use too does not answer.
    `refreshers` run before /metrics: while a server is away their gauges keep their last values.
    `stopping` is set once the process has been told to end: it is not ready from then on.
    """

    def __init__(self) -> None:
        self.checks: dict[str, Check] = {}
        self.servers: dict[str, Check] = {}
        self.refreshers: list[Check] = []
        self.stopping = asyncio.Event()

    async def failures(self) -> dict[str, str]:
        """Name of each failed check → what it says of itself, or the type of its error."""
        found = await _failed(self.checks, _CHECK_TIMEOUT_S)
        return {**found, "arret": "en cours"} if self.stopping.is_set() else found

    async def away(self) -> dict[str, str]:
        """Name of each server that does not answer → the type of the error."""
        return await _failed(self.servers, _SERVER_TIMEOUT_S)

    async def refresh(self) -> None:
        """Raises what a refresher raises, unless it says that a server is away."""
        results = await asyncio.gather(
            *(asyncio.wait_for(refresher(), _CHECK_TIMEOUT_S) for refresher in self.refreshers), return_exceptions=True
        )
        for error in results:
            if isinstance(error, BaseException):
                if not is_outage(error):
                    raise error
                # The page must answer during an outage above all: server_up says what is away.
                log.warning("metrics_not_refreshed", error=type(error).__name__)

    @asynccontextmanager
    async def preparing(self, work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
        """Runs `work` beside the server: an api comes up, and says on /sante/pret what is missing, while a server is
        away. It is ready once `work` is done, never when `work` has failed."""
        task = asyncio.create_task(work)
        task.add_done_callback(_tell_failure)

        async def prepared() -> None:
            if not task.done():
                raise NotReady("en cours")
            task.result()

        self.checks["preparation"] = prepared
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})

    def router(self) -> APIRouter:
        router = APIRouter(include_in_schema=False)

        @router.get("/sante/vivant")
        async def alive() -> Response:
            return Response(b'{"etat":"vivant"}', media_type="application/json")

        @router.get("/sante/pret")
        async def ready() -> Response:
            failures, away = await asyncio.gather(self.failures(), self.away())
            body = {
                "etat": "indisponible" if failures else "pret",
                "absents": failures,
                "verifies": sorted(self.checks),
                "serveurs": {name: away.get(name, "répond") for name in sorted(self.servers)},
            }
            return Response(orjson.dumps(body), status_code=503 if failures else 200, media_type="application/json")

        @router.get("/metrics")
        async def metrics() -> Response:
            _, failures, away = await asyncio.gather(self.refresh(), self.failures(), self.away())
            for name in self.checks:
                HEALTH_OK.labels(name).set(name not in failures)
            for name in self.servers:
                SERVER_UP.labels(name).set(name not in away)
            return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

        return router


async def _failed(checks: Mapping[str, Check], timeout_s: float) -> dict[str, str]:
    # A copy: a process that still starts adds checks while these are waited for.
    asked = dict(checks)
    results = await asyncio.gather(
        *(asyncio.wait_for(check(), timeout_s) for check in asked.values()), return_exceptions=True
    )
    # Only our own texts are shown: those of drivers name hosts, and may hold passwords.
    return {
        name: str(result) if isinstance(result, NotReady) else type(result).__name__
        for name, result in zip(asked, results, strict=True)
        if isinstance(result, BaseException)
    }


def _tell_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.critical("preparation_failed", exc_info=error)
