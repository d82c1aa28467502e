"""Wires the worker: the reader of profils first, then the stream and the retry topics once the index has caught up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from contracts.registre import CATALOGUE
from kit.consumer import Consumer
from kit.deadletters import DeadLetters, retry_topic
from kit.health import Health
from kit.process import Loop
from kit.runtime import open_runtime
from services.matching import store
from services.matching.handlers import HANDLERS, Deps, sans_effet
from services.matching.index import Index
from services.matching.metrics import PROFILS_BASE
from services.matching.preparation import preparer
from services.matching.reader import Reader
from services.matching.republication import sources
from services.matching.settings import SERVICE, Reglages
from services.matching.stream import TOPICS, Stream


@asynccontextmanager
async def start(settings: Reglages, health: Health, index: Index | None = None) -> AsyncIterator[list[Loop]]:
    """Yields the loops of the worker once topics and indexes exist; `index` is filled by the first of them."""
    index = Index() if index is None else index
    async with open_runtime(SERVICE, settings, health) as runtime:
        await preparer(runtime)
        republication = runtime.republication(sources(runtime.mongo.db))
        await republication.begin()

        async def refresh_base() -> None:
            PROFILS_BASE.set(await store.compter_actifs(runtime.mongo.db))

        dead_letters = DeadLetters(runtime.producer, SERVICE)
        reader = Reader(settings.kafka_url, index, dead_letters, runtime.mongo.db, runtime.clock)
        processor = runtime.processor(HANDLERS, Deps(index, runtime.clock), CATALOGUE, ignore=sans_effet)
        stream = Stream(settings.kafka_url, processor, abreast=settings.annonces_de_front)
        retries = Consumer(
            settings.kafka_url,
            f"{SERVICE}.retry",
            [retry_topic(name, SERVICE) for name in TOPICS],
            processor,
            delayed=True,
        )
        health.checks["index"] = reader.check
        health.refreshers += [refresh_base, stream.refresh_lag, retries.refresh_lag]
        yield [
            reader.run,
            _after(reader.caught_up, stream.run),
            _after(reader.caught_up, retries.run),
            runtime.outbox.run_sweeper,
            republication.run,
        ]


def _after(ready: asyncio.Event, loop: Loop) -> Loop:
    """Runs `loop` once `ready` is set: an index that has not caught up would find too few."""

    async def run(stopping: asyncio.Event) -> None:
        waits = [asyncio.create_task(event.wait()) for event in (ready, stopping)]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        await loop(stopping)

    return run
