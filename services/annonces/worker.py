"""Wires the worker: consumers, outbox sweeper, expiry, reminders, changes that are told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from contracts import topics
from contracts.evenements import CATALOGUE
from kit.http.health import Health
from kit.lifecycle import Loop
from kit.resources import open_runtime
from services.annonces import changements_timer, expiration, veille
from services.annonces.handlers import HANDLERS
from services.annonces.preparation import preparer
from services.annonces.republication import sources
from services.annonces.settings import SERVICE, Reglages
from services.annonces.wiring import monter


@asynccontextmanager
async def start(settings: Reglages, health: Health) -> AsyncIterator[list[Loop]]:
    """Yields the loops of the worker once topics and indexes exist."""
    async with open_runtime(SERVICE, settings, health) as runtime:
        deps = monter(runtime, settings)
        await preparer(runtime)

        async def expiry(stopping: asyncio.Event) -> None:
            await expiration.run(deps, stopping)

        async def reminders(stopping: asyncio.Event) -> None:
            await veille.run(deps, stopping)

        async def changes(stopping: asyncio.Event) -> None:
            await changements_timer.run(deps, stopping)

        republication = runtime.republication(sources(deps.store))
        await republication.begin()
        processor = runtime.processor(HANDLERS, deps, CATALOGUE)
        consumers = runtime.consumers([topic.name for topic in topics.read_by(SERVICE)], processor, health)
        yield [*consumers, runtime.outbox.run_sweeper, republication.run, expiry, reminders, changes]
