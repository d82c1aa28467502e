"""./place dlq: lists, replays and deletes dead letters; shows and closes the breakers that limit them."""

import asyncio
import datetime as dt
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from contracts.commun import PARIS
from contracts.topics import TOPICS
from deploy import layout
from deploy.bilan.topic_reader import committed, records
from deploy.errors import Impossible
from deploy.stack import embedded
from kit.clock import SystemClock
from kit.database import mongo
from kit.messaging.breaker import LENIENT_FOR, MongoStates, Phase, State, closed_by_hand
from kit.messaging.deadletters import (
    ATTEMPT,
    ERROR_TYPE,
    ORIGIN_OFFSET,
    ORIGIN_PARTITION,
    REASON,
    dead_letter_topic,
    held_topic,
    origin,
    to_replay,
)
from kit.messaging.events import Record
from kit.messaging.producer import Producer

# Number of bytes of a message that are shown.
_SHOWN_BYTES = 300


def names() -> list[str]:
    """All dead-letter topics, from the table of topics."""
    return [dead_letter_topic(topic.name, reader) for topic in TOPICS for reader in topic.readers]


def show_all() -> None:
    """Prints one line per topic with dead letters, and the open breakers."""
    found = asyncio.run(_read(names()))
    for name, count in sorted(Counter(record.topic for record in found).items()):
        reasons = Counter(record.headers.get(REASON, "?")[:80] for record in found if record.topic == name)
        print(f"{name}  {count}")
        for reason, times in reasons.most_common(3):
            print(f"    {times} × {reason}")
    if not found:
        print("Aucune lettre morte.")
    asyncio.run(_show_breakers())


async def _show_breakers() -> None:
    now = SystemClock().now()
    for topic, service in sorted((spec.name, reader) for spec in TOPICS for reader in spec.readers):
        async with _states(service) as states:
            state = (await states.load()).get(topic, State())
        if state.open_until is None or (phase := state.phase(now)) is Phase.CLOSED:
            continue
        until = f"ouvert jusqu’à {state.open_until.astimezone(PARIS):%H:%M}" if phase is Phase.OPEN else "à l’essai"
        held = await _held(topic, service)
        print(f"Disjoncteur {until} : {dead_letter_topic(topic, service)}, {held} message(s) retenu(s)")


async def _held(topic: str, service: str) -> int:
    """Number of messages held until the breaker closes."""
    name = held_topic(topic, service)
    done = (await committed(_kafka(), f"{service}.retry")).get((name, 0), 0)
    return sum(record.offset >= done for record in await _read([name]))


def close(topic: str) -> None:
    """Closes a breaker by hand: for a while, unreadable messages become dead letters without limit."""
    asyncio.run(_close(_known(topic)))


async def _close(name: str) -> None:
    [(topic, service)] = [
        (topic.name, reader)
        for topic in TOPICS
        for reader in topic.readers
        if dead_letter_topic(topic.name, reader) == name
    ]
    now = SystemClock().now()
    async with _states(service) as states:
        while True:
            state = (await states.load()).get(topic, State())
            if state.phase(now) is Phase.CLOSED:
                return print("Rien à faire : ce disjoncteur est fermé.")
            if await states.replace(topic, closed_by_hand(state, now)):
                break
    minutes = int(LENIENT_FOR.total_seconds() // 60)
    print(f"Disjoncteur fermé : pendant {minutes} min, ce qui est illisible va aux lettres mortes sans limite.")


@asynccontextmanager
async def _states(service: str) -> AsyncIterator[MongoStates]:
    """The stored states of the breakers of a service."""
    database = mongo.connect(embedded.existing(layout.current()).urls()["MONGO_URL"], service)
    try:
        yield MongoStates(database.db)
    finally:
        database.close()


def show(topic: str) -> None:
    """Prints each message of a topic."""
    for record in asyncio.run(_read([_known(topic)])):
        at = dt.datetime.fromtimestamp(record.timestamp_ms / 1000, dt.UTC).isoformat()
        place = f"{origin(record)}[{record.headers.get(ORIGIN_PARTITION)}]@{record.headers.get(ORIGIN_OFFSET)}"
        print(f"offset {record.offset} · {at} · de {place} · {record.headers.get(ATTEMPT, '0')} essai(s) différé(s)")
        print(f"    {record.headers.get(ERROR_TYPE)} : {record.headers.get(REASON)}")
        print(f"    clé {record.key!r} · {record.headers.get('ce_type', 'sans ce_type')}")
        print(f"    {(record.value or b'')[:_SHOWN_BYTES]!r}")


def replay(topic: str, upto: int | None) -> None:
    """Publishes first and deletes afterwards. After an interruption messages are published again, and receivers drop
    those they have processed."""
    asyncio.run(_end(_known(topic), upto, publish=True))


def drop(topic: str, upto: int | None) -> None:
    asyncio.run(_end(_known(topic), upto, publish=False))


def _known(topic: str) -> str:
    if topic not in names():
        raise Impossible(f"« {topic} » n’est pas un topic de lettres mortes : voyez « ./place dlq list ».")
    return topic


def _kafka() -> str:
    return embedded.existing(layout.current()).urls()["KAFKA_URL"]


async def _read(topics: list[str]) -> list[Record]:
    return [record async for record in records(_kafka(), topics)]


async def _end(topic: str, upto: int | None, *, publish: bool) -> None:
    chosen = [record for record in await _read([topic]) if upto is None or record.offset <= upto]
    if not chosen:
        print("Rien à faire : aucune lettre morte ne correspond.")
        return
    if publish:
        producer = Producer(_kafka())
        try:
            await producer.publish([to_replay(record) for record in chosen])
        finally:
            await producer.stop()
    before = {record.partition: record.offset + 1 for record in chosen}
    admin = AIOKafkaAdminClient(bootstrap_servers=_kafka())
    await admin.start()
    try:
        await admin.delete_records(
            {TopicPartition(topic, number): RecordsToDelete(before_offset=offset) for number, offset in before.items()}
        )
    finally:
        await admin.close()
    print(f"{len(chosen)} message(s) {'renvoyé(s) à leur topic d’origine' if publish else 'retiré(s)'}.")
