"""How a process lives: an api serves until told to stop; a worker runs its loops and serves its health meanwhile."""

import asyncio
import gc
import json
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import asdict
from functools import partial
from typing import Any, TypeVar

import uvloop
from fastapi import FastAPI

from kit import logging as kit_logging
from kit import mongo, republication, telemetry
from kit.clock import SystemClock
from kit.connections import Owner
from kit.errors import Stop
from kit.health import Health
from kit.settings import Settings
from kit.web import health_app, server

log = kit_logging.get_logger(__name__)
S = TypeVar("S", bound=Settings)
_FOLLOW_EVERY_S = 0.3
_STALLED_S = 90.0
# From the order to end until new connections are refused: who calls often has called meanwhile.
_LEAVE_S = 1.0

Loop = Callable[[asyncio.Event], Awaitable[None]]
"""Runs until the event is set, then finishes what it has in hand and returns."""

StartWorker = Callable[[Health], AbstractAsyncContextManager[Sequence[Loop]]]
"""Opens what a worker needs, adds its checks to the health page, yields its loops, closes after they have returned."""


class NotListening(Exception):
    """The routes of an api are not served yet, or not any more."""


def main(
    service: str,
    settings: Callable[[], S],
    create: Callable[[S], FastAPI],
    start: Callable[[S, Health], AbstractAsyncContextManager[Sequence[Loop]]],
) -> None:
    """The command line `python -m services.<service> api|worker`: runs one of the two until told to stop."""
    match sys.argv[1:]:
        case ["api"]:
            made = settings()
            run_api(service, made, create(made))
        case ["worker"]:
            made = settings()
            run_worker(service, made, partial(start, made))
        case ["republier"]:
            sys.exit(republish(service, settings()))
        case _:
            sys.exit(f"Usage\u00a0: python -m services.{service} api|worker|republier")


def republish(service: str, settings: Settings) -> int:
    """Asks the workers of `service` to publish its topics again; prints how far they are, a JSON list a line."""
    return asyncio.run(_republish(service, settings))


async def _republish(service: str, settings: Settings) -> int:
    database = mongo.connect(settings.mongo_url, service)
    try:
        await republication.ask(database.db, SystemClock().now())
        return await _follow(database.db)
    finally:
        database.close()


async def _follow(db: mongo.Database) -> int:
    """Prints until all is published; 1 when nothing has moved for a while: no worker is there to do it."""
    told, since = "", time.monotonic()
    while True:
        found = await republication.progress(db)
        if (now := json.dumps([asdict(each) for each in found])) != told:
            told, since = now, time.monotonic()
            print(told, flush=True)  # noqa: T201 - a command speaks on standard output
        if all(each.done for each in found):
            return 0
        if time.monotonic() - since > _STALLED_S:
            return 1
        await asyncio.sleep(_FOLLOW_EVERY_S)


def run_api(service: str, settings: Settings, app: FastAPI, owner: Owner = str) -> None:
    """Serves `app`, and its health on another port, until SIGTERM or SIGINT, and until what is in hand is answered.
    `owner` names whom the connections from an address are counted for."""
    kit_logging.configure(service, "api", settings.log_level)
    telemetry.configure(service, "api")
    sys.exit(_run(_api(settings, app, owner)))


def _run(life: Coroutine[Any, Any, int]) -> int:
    try:
        return uvloop.run(life)
    finally:
        # After everything that makes spans; nobody is served any more, so a collector that is away delays nobody.
        telemetry.close()


async def _api(settings: Settings, app: FastAPI, owner: Owner) -> int:
    http = server(app, settings.host, settings.port, owner=owner)
    health: Health = app.state.health

    async def listening() -> None:
        if not http.started or http.should_exit:
            raise NotListening

    async def leave() -> None:
        # Callers that keep a connection learn with their next answer that it ends; nobody is cut off in the middle.
        await health.stopping.wait()
        await asyncio.sleep(_LEAVE_S)
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
    """Shows how the process is for as long as the block runs, from before it can work until it has ended its work."""
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


def run_worker(service: str, settings: Settings, make: StartWorker) -> None:
    """Runs a worker until SIGTERM or SIGINT (exit 0), or until a loop fails (exit 1, offsets not moved)."""
    kit_logging.configure(service, "worker", settings.log_level)
    telemetry.configure(service, "worker")
    # A worker holds thousands of rows, none of them in a cycle: looking through them after every 700 new objects, as is
    # the default, took a tenth of its time.
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
        # Opening waits for servers that are away: a stop must not wait for them too.
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
    # The others finish what they have in hand.
    await asyncio.wait(tasks, timeout=15)
    for error in failed:
        if isinstance(error, Stop):
            log.critical("worker_stops_itself", reason=str(error))
        else:
            log.critical("loop_failed", exc_info=error)
    return 1 if failed else 0
