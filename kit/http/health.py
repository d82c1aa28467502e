"""/sante/vivant, /sante/pret and /metrics, the same for every process, on a separate port.

Alive means that the event loop runs. Ready means that this process can do its own work (migrated, index loaded, group
joined). Neither depends on the shared servers (Mongo, Kafka, Redis): when one of those is away, an orchestrator must
not withdraw every process at once, including the cache that can still answer. The state of servers is reported apart:
in the body of /sante/pret and by the metric server_up.
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
# Callers of /sante/pret wait this long at most, which is less than the time-out of an orchestrator's probe.
_SERVER_TIMEOUT_S = 1.0


class NotReady(Exception):
    """Something this process needs before it can work is missing. The text is shown to operators unchanged."""


class Health:
    """Checks of one process.

    `checks`: name → function that raises when this process cannot do its work. `servers`: name → function that raises
    when a shared server does not answer. `refreshers` update gauges before each scrape of /metrics; while a server is
    away the gauges keep their last values. `stopping` is set once the process was told to end; the process is not ready
    from then on.
    """

    def __init__(self) -> None:
        self.checks: dict[str, Check] = {}
        self.servers: dict[str, Check] = {}
        self.refreshers: list[Check] = []
        self.stopping = asyncio.Event()

    async def failures(self) -> dict[str, str]:
        """Returns name of each failed check → its text if it raised NotReady, else the type of its error."""
        found = await _failed(self.checks, _CHECK_TIMEOUT_S)
        return {**found, "arret": "en cours"} if self.stopping.is_set() else found

    async def away(self) -> dict[str, str]:
        """Returns name of each server that does not answer → type of the error."""
        return await _failed(self.servers, _SERVER_TIMEOUT_S)

    async def refresh(self) -> None:
        """Runs the refreshers. Outages are only logged; any other error is raised."""
        results = await asyncio.gather(
            *(asyncio.wait_for(refresher(), _CHECK_TIMEOUT_S) for refresher in self.refreshers), return_exceptions=True
        )
        for error in results:
            if isinstance(error, BaseException):
                if not is_outage(error):
                    raise error
                # /metrics must answer above all during an outage; server_up shows which server is away.
                log.warning("metrics_not_refreshed", error=type(error).__name__)

    @asynccontextmanager
    async def preparing(self, work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
        """Runs `work` in the background, so that an API starts and reports on /sante/pret what is missing while a
        server is away. The process is ready once `work` has succeeded."""
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
    # Copied because a starting process may add checks while these run.
    asked = dict(checks)
    results = await asyncio.gather(
        *(asyncio.wait_for(check(), timeout_s) for check in asked.values()), return_exceptions=True
    )
    # Only our own texts are shown: error texts of drivers name hosts and may contain passwords.
    return {
        name: str(result) if isinstance(result, NotReady) else type(result).__name__
        for name, result in zip(asked, results, strict=True)
        if isinstance(result, BaseException)
    }


def _tell_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.critical("preparation_failed", exc_info=error)
