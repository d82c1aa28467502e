"""No offset is committed past a record that has not met its fate, on any way out; and in the end all have met it."""

import asyncio
import random
from collections.abc import Callable, Sequence
from functools import partial

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kit.errors import Held, Stop
from kit.messaging.consumer import Consumer
from kit.messaging.events import Record
from tests.unit.kit import horloge
from tests.unit.kit.courtier import Broker, Client

LIVES = 6


class Damage(Exception):
    """A defect of the code: the process ends."""


class Processor:
    """What becomes of records is thrown by dice: it takes time, stops, breaks, waits for a database that is away."""

    def __init__(self, broker: Broker, *, aside: bool) -> None:
        self._broker = broker
        self._aside = aside
        self._due: dict[tuple[int, int], float] = {}
        self.there = asyncio.Event()
        self.there.set()

    async def ping(self) -> None:
        if not self.there.is_set() and self._broker.happens(0.5):
            raise ConnectionError
        await self.there.wait()

    async def pause_s(self, record: Record) -> float:
        now = asyncio.get_running_loop().time()
        place = record.partition, record.offset
        due = self._due.setdefault(place, now + self._broker.rng.choice([0.0, 0.0, 1.0, 40.0]))
        return due - now

    async def process(self, records: Sequence[Record]) -> None:
        for record in records:
            await self.there.wait()
            await asyncio.sleep(self._broker.rng.choice([0.0, 0.0, 0.01, 3.0]))
            for probability, error in ((0.01, Stop("harm")), (0.01, Damage()), (0.01, KafkaConnectionError("away"))):
                if self._broker.happens(probability):
                    raise error
            if self._aside and self._broker.happens(0.1):
                raise Held(self._broker.rng.uniform(0, 5))
            self._broker.fates.add((TopicPartition(record.topic, record.partition), record.offset))


async def one_life(broker: Broker, *, aside: bool) -> None:
    """A process that ends at some moment: told to stop, killed, or by itself."""
    processor, stopping = Processor(broker, aside=aside), asyncio.Event()
    pause_s = processor.pause_s if aside else None
    consumer = Consumer(
        "",
        "group",
        ["t"],
        processor,
        ping=processor.ping,
        pause_s=pause_s,
        connect=lambda **_: Client(broker),
    )
    running = asyncio.create_task(consumer.run(stopping))
    ways: list[Callable[[], object]] = [stopping.set, running.cancel]
    ends = broker.rng.choice(ways)
    try:
        for _ in range(broker.rng.randint(1, 4)):
            await asyncio.wait({running}, timeout=broker.rng.uniform(0, 15))
            if processor.there.is_set():
                processor.there.clear()
            else:
                processor.there.set()
        if broker.at_ease:
            processor.there.set()
            await asyncio.wait_for(broker.finished.wait(), 900)
    finally:
        ends()
        await asyncio.wait({running}, timeout=60)
    assert running.done(), "it does not stop"
    if not running.cancelled() and (error := running.exception()) is not None:
        assert isinstance(error, (Stop, Damage)), repr(error)


async def lives(seed: int, *, aside: bool) -> None:
    broker = Broker(random.Random(seed), [TopicPartition("t", number) for number in range(3)])
    for _ in range(LIVES):
        await one_life(broker, aside=aside)
    broker.at_ease = True
    await one_life(broker, aside=aside)
    assert broker.finished.is_set()


@pytest.mark.parametrize("aside", [False, True], ids=["au_fil", "mis_de_cote"])
# A fifth of a second each: many lives of a process.
@settings(max_examples=25)
@example(seed=5528)
@given(seed=st.integers(0, 2**32))
def test_aucun_message_n_est_saute_quoi_qu_il_arrive(seed: int, aside: bool) -> None:
    horloge.run(partial(lives, seed, aside=aside)())
