"""Stands in for a broker and its client, as far as a consumer of a group can tell; all that may go wrong goes wrong.

It keeps aiokafka's rules: it rebalances beside whatever the consumer does, gives no records meanwhile, begins again at
what was committed, and waits for its listener when it is stopped.
"""

import asyncio
import random
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaConnectionError, RequestTimedOutError

RECORDS = 30


@dataclass
class Broker:
    """`fates`: what has met its fate, here or in another member. `at_ease`: nothing goes wrong any more."""

    rng: random.Random
    partitions: list[TopicPartition]
    committed: dict[TopicPartition, int] = field(default_factory=dict)
    fates: set[tuple[TopicPartition, int]] = field(default_factory=set)
    at_ease: bool = False
    finished: asyncio.Event = field(default_factory=asyncio.Event)

    def happens(self, probability: float) -> bool:
        return not self.at_ease and self.rng.random() < probability

    def commit(self, tp: TopicPartition, offset: int) -> None:
        lost = [before for before in range(offset) if (tp, before) not in self.fates]
        assert not lost, f"{tp} is committed to {offset}: nobody will see {lost} again"
        assert offset >= self.committed.get(tp, 0), f"{tp} goes back to {offset}: everything is done twice"
        self.committed[tp] = offset
        if all(self.committed.get(tp) == RECORDS for tp in self.partitions):
            self.finished.set()

    def another_member(self, tp: TopicPartition) -> None:
        """It had the partition for a while, and did what it must."""
        begin = self.committed.get(tp, 0)
        end = self.rng.randint(begin, RECORDS)
        self.fates |= {(tp, offset) for offset in range(begin, end)}
        self.commit(tp, max(begin, end))


class Client:
    """What `connect` makes."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._listener: Any = None
        self._positions: dict[TopicPartition, int] = {}
        self._generation = 0
        self._paused: set[TopicPartition] = set()
        self._settled = asyncio.Event()
        self._closing = asyncio.Event()
        self._coordination: asyncio.Task[None] | None = None

    def subscribe(self, topics: list[str], *, listener: Any) -> None:
        self._listener = listener

    async def start(self) -> None:
        if self._broker.happens(0.1):
            raise KafkaConnectionError("away")
        self._coordination = asyncio.create_task(self._coordinate())
        await self._settled.wait()

    async def _coordinate(self) -> None:
        while not self._closing.is_set():
            await self._rebalance()
            if self._broker.at_ease:
                await self._closing.wait()
            await self._some_time(20)

    async def _rebalance(self) -> None:
        self._settled.clear()
        await self._listener.on_partitions_revoked(set(self._positions))
        await self._some_time(1)
        owned = [tp for tp in self._broker.partitions if not self._broker.happens(0.3)]
        for tp in set(self._broker.partitions) - set(owned):
            self._broker.another_member(tp)
        self._positions = {tp: self._broker.committed.get(tp, 0) for tp in owned}
        self._paused.clear()
        self._generation += 1
        self._settled.set()
        await self._some_time(1)
        await self._listener.on_partitions_assigned(set(owned))

    async def _some_time(self, at_most_s: float) -> None:
        try:
            await asyncio.wait_for(self._closing.wait(), self._broker.rng.uniform(0, at_most_s))
        except TimeoutError:
            return

    async def getmany(self, *, timeout_ms: int, max_records: int) -> dict[TopicPartition, list[Any]]:
        await self._settled.wait()
        if self._broker.happens(0.3):
            await asyncio.sleep(self._broker.rng.uniform(0, timeout_ms / 1000))
            await self._settled.wait()
        if self._broker.happens(0.05):
            raise KafkaConnectionError("away")
        found = {}
        for tp in self._positions.keys() - self._paused:
            begin = self._positions[tp]
            # Compaction has removed some of what stood there.
            offsets = range(begin, min(RECORDS, begin + self._broker.rng.randint(1, 8)))
            if offsets:
                self._positions[tp] = offsets.stop
                found[tp] = [_raw(tp, offset) for offset in offsets]
        if not found:
            await asyncio.sleep(timeout_ms / 1000)
        return found

    def assignment(self) -> set[TopicPartition]:
        return set(self._positions)

    def seek(self, tp: TopicPartition, offset: int) -> None:
        self._positions[self._owned(tp)] = offset

    def pause(self, tp: TopicPartition) -> None:
        self._paused.add(self._owned(tp))

    def resume(self, tp: TopicPartition) -> None:
        self._paused.discard(self._owned(tp))

    def _owned(self, tp: TopicPartition) -> TopicPartition:
        if tp not in self._positions:
            raise IllegalStateError(f"{tp} is not assigned")
        return tp

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        for tp in offsets:
            self._owned(tp)
        generation = self._generation
        await asyncio.sleep(self._broker.rng.uniform(0, 0.5))
        if self._broker.happens(0.1):
            raise RequestTimedOutError
        if generation != self._generation:
            raise CommitFailedError
        for tp, offset in offsets.items():
            self._broker.commit(tp, offset)
        if self._broker.happens(0.1):
            # It is stored; the answer is lost.
            raise RequestTimedOutError

    async def stop(self) -> None:
        self._closing.set()
        if self._coordination is not None:
            await self._coordination


def _raw(tp: TopicPartition, offset: int) -> Any:
    return SimpleNamespace(
        topic=tp.topic, partition=tp.partition, offset=offset, key=b"", value=b"", headers=(), timestamp=0
    )
