"""Wires the worker: the consumers that turn events into dossiers, the outbox sweeper, the age of the queue."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from contracts import topics
from contracts.evenements import CATALOGUE
from kit.http.health import Health
from kit.lifecycle import Loop
from kit.resources import open_runtime
from services.moderation import metrics
from services.moderation.handlers import HANDLERS, Deps
from services.moderation.preparation import preparer
from services.moderation.settings import SERVICE, Reglages
from services.moderation.store import Store


@asynccontextmanager
async def start(settings: Reglages, health: Health) -> AsyncIterator[list[Loop]]:
    """Yields the loops of the worker once its database is migrated."""
    read = topics.read_by(SERVICE)
    async with open_runtime(SERVICE, settings, health) as runtime:
        store = Store(runtime.mongo.db)
        await preparer(runtime)

        async def refresh_oldest() -> None:
            metrics.attente(await store.plus_ancien(), runtime.clock.now())

        health.refreshers.append(refresh_oldest)
        republication = runtime.republication()
        await republication.begin()
        processor = runtime.processor(HANDLERS, Deps(store, settings, runtime.clock), CATALOGUE)
        consumers = runtime.consumers([topic.name for topic in read], processor, health)
        yield [*consumers, runtime.outbox.run_sweeper, republication.run]
