"""/sante/vivant, /sante/pret and /metrics: the same for every process, on a port of their own."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import orjson
from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from kit.errors import is_outage
from kit.logging import get_logger
from kit.metrics import HEALTH_OK

log = get_logger(__name__)

Check = Callable[[], Awaitable[object]]

_CHECK_TIMEOUT_S = 2.0


class NotPrepared(Exception):
    """What the process needs is not there yet: its topics, its indexes."""


class Health:
    """`checks`: name → a function that raises when what it checks is not there.

    `refreshers` run before /metrics: while a server is away their gauges keep their last values.
    """

    def __init__(self) -> None:
        self.checks: dict[str, Check] = {}
        self.refreshers: list[Check] = []

    async def failures(self) -> dict[str, str]:
        """Name of each failed check → the type of its error."""
        names = list(self.checks)
        results = await asyncio.gather(
            *(asyncio.wait_for(self.checks[name](), _CHECK_TIMEOUT_S) for name in names), return_exceptions=True
        )
        return {
            name: type(result).__name__
            for name, result in zip(names, results, strict=True)
            if isinstance(result, BaseException)
        }

    async def refresh(self) -> None:
        """Raises what a refresher raises, unless it says that a server is away."""
        results = await asyncio.gather(
            *(asyncio.wait_for(refresher(), _CHECK_TIMEOUT_S) for refresher in self.refreshers), return_exceptions=True
        )
        for error in results:
            if isinstance(error, BaseException):
                if not is_outage(error):
                    raise error
                # The page must answer during an outage above all: health_check_ok says what is away.
                log.warning("metrics_not_refreshed", error=type(error).__name__)

    @asynccontextmanager
    async def preparing(self, work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
        """Runs `work` beside the server: an api comes up, and says on /sante/pret what is missing, while a server is
        away. It is ready once `work` is done, never when `work` has failed."""
        task = asyncio.create_task(work)
        task.add_done_callback(_tell_failure)

        async def prepared() -> None:
            if not task.done():
                raise NotPrepared
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
            failures = await self.failures()
            body = {
                "etat": "indisponible" if failures else "pret",
                "absents": failures,
                "verifies": sorted(self.checks),
            }
            return Response(orjson.dumps(body), status_code=503 if failures else 200, media_type="application/json")

        @router.get("/metrics")
        async def metrics() -> Response:
            await self.refresh()
            failures = await self.failures()
            for name in self.checks:
                HEALTH_OK.labels(name).set(name not in failures)
            return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

        return router


def _tell_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.critical("preparation_failed", exc_info=error)
