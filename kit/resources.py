"""Resources of a process that has a database: Mongo, producer, outbox, consumers; opened and closed in order."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from kit.clock import Clock, SystemClock
from kit.database import migrations, mongo
from kit.database.migrations import Schema
from kit.database.mongo import Mongo
from kit.http.health import Health
from kit.lifecycle import Loop
from kit.messaging import inbox, outbox
from kit.messaging.breaker import Breaker, MongoStates
from kit.messaging.consumer import Consumer
from kit.messaging.deadletters import DeadLetters, held_topic, retry_topic
from kit.messaging.events import Catalogue
from kit.messaging.outbox import Outbox
from kit.messaging.processor import Handlers, Processor
from kit.messaging.producer import Producer
from kit.messaging.republication import Republication, Source
from kit.messaging.topics import Topics, TopicSpec
from kit.settings import Settings
from kit.waiting import outlast

_EMPTY = Schema()


@dataclass
class Runtime:
    """`service` is the name of the database, of the consumer group, and of the source of events."""

    service: str
    settings: Settings
    clock: Clock
    mongo: Mongo
    producer: Producer
    outbox: Outbox
    dead_letters: DeadLetters
    health: Health
    topics: Topics | None = None
    keeping: asyncio.Task[None] | None = None

    async def migrate(self, schema: Schema) -> None:
        """Migrates the database to `schema` plus the kit's own indexes. Raises Stop when the database is newer than
        this code."""
        whole = replace(schema, indexes=[*outbox.INDEXES, *inbox.INDEXES, *schema.indexes])
        await outlast(migrations.migrate, self.mongo.db, self.outbox, whole)

    async def prepare(
        self, owned: Sequence[TopicSpec], consumed: Sequence[TopicSpec] = (), schema: Schema = _EMPTY
    ) -> None:
        """Waits for the database and migrates it, then starts creating topics. Raises what `migrate` raises.

        Does not wait for Kafka: events written while it is away stay in the outbox. Missing topics are created for as
        long as the process runs.
        """
        await self.migrate(schema)
        if self.topics is None:
            self.topics = Topics(self.settings.kafka_url, owned, consumed, consumer=self.service)
            self.keeping = asyncio.create_task(self.topics.keep())
        await self.topics.tried.wait()

    def republication(self, sources: Sequence[Source] = ()) -> Republication:
        """Call it after `prepare`. Returns the component that repairs the topics of this service."""
        if self.topics is None:
            raise RuntimeError("prepare was not awaited")
        made = Republication(self.mongo.db, self.topics, self.producer, self.outbox, self.clock, self.service, sources)
        self.health.servers["base"] = made.check_database
        return made

    async def check_topics(self) -> None:
        """Health check. Raises the error that ended the loop that creates missing topics; an outage does not end it."""
        if self.keeping is not None and self.keeping.done():
            self.keeping.result()

    async def close(self) -> None:
        if self.keeping is not None:
            self.keeping.cancel()
            await asyncio.wait({self.keeping})
        await self.outbox.settle()
        await self.producer.stop()
        self.mongo.close()

    def processor(
        self,
        handlers: Handlers,
        deps: Any,
        catalogue: Catalogue,
        *,
        ignore: Callable[[Any], bool] = lambda event: False,
    ) -> Processor:
        return Processor(
            consumer=self.service,
            handlers=handlers,
            deps=deps,
            catalogue=catalogue,
            outbox=self.outbox,
            dead_letters=self.dead_letters,
            clock=self.clock,
            ignore=ignore,
        )

    def consumers(self, names: Sequence[str], processor: Processor, health: Health) -> list[Loop]:
        """Two loops: one reads the topics `names`, the other their retry and held topics, in a group of its own so that
        waiting there blocks nothing."""
        url, ping = self.settings.kafka_url, self.mongo.ping
        aside = [side(name, self.service) for name in names for side in (retry_topic, held_topic)]
        now = Consumer(url, self.service, names, processor, ping=ping)
        later = Consumer(url, f"{self.service}.retry", aside, processor, ping=ping, pause_s=processor.pause_s)
        health.checks |= {"groupe": now.check, "groupe_retry": later.check}
        return [now.run, later.run]


@asynccontextmanager
async def open_runtime(service: str, settings: Settings, health: Health) -> AsyncIterator[Runtime]:
    """Opens the resources of a process without connecting, so that it starts and reports on /sante/pret which server is
    away."""
    clock = SystemClock()
    database = mongo.connect(settings.mongo_url, service)
    producer = Producer(settings.kafka_url)
    outbox = Outbox(database, producer, clock, service)
    breaker = Breaker(MongoStates(database.db), clock, service)
    health.servers["mongo"] = database.ping
    health.servers["kafka"] = producer.ping
    health.refreshers += [outbox.measure, breaker.measure]
    dead_letters = DeadLetters(producer, service, breaker)
    runtime = Runtime(service, settings, clock, database, producer, outbox, dead_letters, health)
    health.checks["topics"] = runtime.check_topics
    try:
        yield runtime
    finally:
        await runtime.close()
