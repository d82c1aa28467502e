"""Wires the worker: the reader of profils, then the consumers once the index has caught up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from contracts.annonces import EvenementAnnonce
from contracts.comptes import EvenementCompte
from contracts.evenements import CATALOGUE
from contracts.notifications import DesabonnementDemande
from kit.http.health import Health
from kit.lifecycle import Loop
from kit.resources import open_runtime
from services.matching import store
from services.matching.counting_agent import CountingAgent
from services.matching.handlers import HANDLERS, Deps, sans_effet
from services.matching.index import Index
from services.matching.metrics import PROFILS_BASE
from services.matching.preparation import preparer
from services.matching.reader import Reader
from services.matching.republication import sources
from services.matching.settings import SERVICE, Reglages

TOPICS = (EvenementAnnonce.topic, DesabonnementDemande.topic, EvenementCompte.topic)
"""Topics of the handlers; the reader reads the topic of profils."""


@asynccontextmanager
async def start(settings: Reglages, health: Health, index: Index | None = None) -> AsyncIterator[list[Loop]]:
    """Yields the loops of the worker once its database is migrated. `index` is filled by the reader."""
    index = Index() if index is None else index
    async with open_runtime(SERVICE, settings, health) as runtime:
        await preparer(runtime)
        republication = runtime.republication(sources(runtime.mongo.db))
        await republication.begin()

        async def refresh_base() -> None:
            PROFILS_BASE.set(await store.compter_actifs(runtime.mongo.db))

        reader = Reader(settings.kafka_url, index, runtime.dead_letters, runtime.mongo.db, runtime.clock)
        processor = runtime.processor(HANDLERS, Deps(index, runtime.clock), CATALOGUE, ignore=sans_effet)
        consumers = runtime.consumers(TOPICS, processor, health)
        tendances = CountingAgent(settings.kafka_url, runtime.clock)
        health.checks["index"] = reader.check
        health.refreshers += [refresh_base, tendances.mesurer]
        yield [
            reader.run,
            *(_after(reader.caught_up, consumer) for consumer in consumers),
            runtime.outbox.run_sweeper,
            republication.run,
            tendances.run,
        ]


def _after(ready: asyncio.Event, loop: Loop) -> Loop:
    """Runs `loop` once `ready` is set: an index that has not caught up would miss people."""

    async def run(stopping: asyncio.Event) -> None:
        waits = [asyncio.create_task(event.wait()) for event in (ready, stopping)]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        await loop(stopping)

    return run
