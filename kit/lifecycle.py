"""Runs a process from start to stop: an API serves requests, a worker runs its loops; both serve their health page."""

import asyncio
import gc
import json
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import asdict
from functools import partial
from typing import Any, TypeVar

import uvloop
from fastapi import FastAPI

from kit import logging as kit_logging
from kit import telemetry
from kit.clock import SystemClock
from kit.database import mongo
from kit.errors import Stop
from kit.http.connections import Owner
from kit.http.health import Health
from kit.http.web import health_app, server
from kit.messaging import republication
from kit.settings import Settings

log = kit_logging.get_logger(__name__)
S = TypeVar("S", bound=Settings)
_FOLLOW_EVERY_S = 0.3
_STALLED_S = 90.0
# Time between the order to end and refusing new connections. Frequent callers send a request meanwhile and learn that
# the connection closes. If connections are left then, their owners get more time to close them unused: the gateway
# closes one after 4 s.
_LEAVE_S, _LEAVE_KEPT_S = 1.0, 4.0

Loop = Callable[[asyncio.Event], Awaitable[None]]
"""A coroutine that runs until the event is set, then finishes its current work and returns."""

StartWorker = Callable[[Health], AbstractAsyncContextManager[Sequence[Loop]]]
"""Context manager of a worker: opens its resources, adds its checks to the health page, yields its loops, and closes
the resources after the loops have returned."""


class NotListening(Exception):
    """The API does not accept requests yet, or no longer."""


def main(
    service: str,
    settings: Callable[[], S],
    create: Callable[[S], FastAPI],
    start: Callable[[S, Health], AbstractAsyncContextManager[Sequence[Loop]]],
    others: Mapping[str, Callable[[S, Health], AbstractAsyncContextManager[Sequence[Loop]]]] | None = None,
) -> None:
    """Command line `python -m services.<service> api|worker|republier`: runs one of them, or one of `others` by its
    name, which are processes without an API, like a worker."""
    loops = {**(others or {}), "worker": start}
    match sys.argv[1:]:
        case ["api"]:
            made = settings()
            run_api(service, made, create(made))
        case [name] if name in loops:
            made = settings()
            run_worker(service, made, partial(loops[name], made), name)
        case ["republier"]:
            sys.exit(republish(service, settings()))
        case _:
            sys.exit(f"Usage\u00a0: python -m services.{service} api|{'|'.join(sorted(loops))}|republier")


def republish(service: str, settings: Settings) -> int:
    """Asks the workers of `service` to publish its topics again. Prints the progress as one JSON list per line. Returns
    the exit code."""
    return asyncio.run(_republish(service, settings))


async def _republish(service: str, settings: Settings) -> int:
    database = mongo.connect(settings.mongo_url, service)
    try:
        await republication.ask(database.db, SystemClock().now())
        return await _follow(database.db)
    finally:
        database.close()


async def _follow(db: mongo.Database) -> int:
    """Prints progress until everything is published. Returns 1 when nothing moves for `_STALLED_S`: no worker is
    running."""
    told, since = "", time.monotonic()
    while True:
        found = await republication.progress(db)
        if (now := json.dumps([asdict(each) for each in found])) != told:
            told, since = now, time.monotonic()
            print(told, flush=True)  # noqa: T201 - a command prints its result
        if all(each.done for each in found):
            return 0
        if time.monotonic() - since > _STALLED_S:
            return 1
        await asyncio.sleep(_FOLLOW_EVERY_S)


def run_api(service: str, settings: Settings, app: FastAPI, owner: Owner = str) -> None:
    """Serves `app`, and its health page on another port, until SIGTERM or SIGINT; then finishes the requests in
    progress. `owner` maps the address of a client to the key under which its connections are counted."""
    kit_logging.configure(service, "api", settings.log_level)
    telemetry.configure(service, "api")
    sys.exit(_run(_api(settings, app, owner)))


def _run(life: Coroutine[Any, Any, int]) -> int:
    try:
        return uvloop.run(life)
    finally:
        # After all other work, so that no span is lost; an unreachable collector delays no request any more.
        telemetry.close()


async def _api(settings: Settings, app: FastAPI, owner: Owner) -> int:
    http = server(app, settings.host, settings.port, owner=owner)
    health: Health = app.state.health

    async def listening() -> None:
        if not http.started or http.should_exit:
            raise NotListening

    async def leave() -> None:
        # Until then each response closes its connection (kit.http.web.CloseOnShutdown), so that clients reconnect
        # elsewhere and none is cut off.
        await health.stopping.wait()
        await asyncio.sleep(_LEAVE_S)
        if http.server_state.connections:
            await asyncio.sleep(_LEAVE_KEPT_S)
        http.should_exit = True

    health.checks["http"] = listening
    _on_signals(health.stopping.set)
    leaving = asyncio.create_task(leave())
    async with _serving_health(settings, health):
        await http.serve()
    leaving.cancel()
    # uvicorn returns without having started when the lifespan failed or the port is taken.
    return 0 if http.started else 1


@asynccontextmanager
async def _serving_health(settings: Settings, health: Health) -> AsyncIterator[None]:
    """Serves the health page while the block runs: from before the process can work until its work has ended."""
    http = server(health_app(health), settings.host, settings.health_port)
    serving = asyncio.create_task(http.serve())
    try:
        yield
    finally:
        http.should_exit = True
        await serving


def _on_signals(stop: Callable[[], None]) -> None:
    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, stop)


def run_worker(service: str, settings: Settings, make: StartWorker, name: str = "worker") -> None:
    """Runs a worker until SIGTERM or SIGINT (exit code 0), or until a loop fails (exit code 1, offsets not moved).
    `name`: of the process, in logs and traces."""
    kit_logging.configure(service, name, settings.log_level)
    telemetry.configure(service, name)
    # A worker holds thousands of rows without reference cycles. With the default threshold (700 new objects) the
    # garbage collector took a tenth of its time.
    gc.set_threshold(20_000, 20, 50)
    sys.exit(_run(_worker(settings, make)))


async def _worker(settings: Settings, make: StartWorker) -> int:
    health = Health()
    stopping = health.stopping
    _on_signals(stopping.set)
    code = 0
    async with _serving_health(settings, health):
        try:
            code = await _live(make(health), stopping)
        except Exception as error:
            log.exception("worker_failed", exc_info=error)
            code = 1
    log.info("worker_stopped", exit_code=code)
    return code


async def _live(opened: AbstractAsyncContextManager[Sequence[Loop]], stopping: asyncio.Event) -> int:
    async with AsyncExitStack() as stack:
        # Opening waits while a server is away; an order to stop must interrupt that wait.
        opening = asyncio.ensure_future(stack.enter_async_context(opened))
        asked = asyncio.ensure_future(stopping.wait())
        await asyncio.wait({opening, asked}, return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        if not opening.done():
            opening.cancel()
            await asyncio.wait({opening})
            return 0
        loops = opening.result()
        log.info("worker_started", loops=len(loops))
        return await _run_loops(loops, stopping)


async def _run_loops(loops: Sequence[Loop], stopping: asyncio.Event) -> int:
    tasks = [asyncio.ensure_future(loop(stopping)) for loop in loops]
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    failed = [task.exception() for task in done if task.exception() is not None]
    stopping.set()
    # The other loops finish their current work.
    await asyncio.wait(tasks, timeout=15)
    for error in failed:
        if isinstance(error, Stop):
            log.critical("worker_stops_itself", reason=str(error))
        else:
            log.critical("loop_failed", exc_info=error)
    return 1 if failed else 0
