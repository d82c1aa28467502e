"""Measures the lag of consumer groups from outside, as Kafka knows it, because a group without members reports nothing
itself."""

import asyncio
import time
from collections.abc import AsyncIterator, Container, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from kit.errors import is_outage
from kit.logging import get_logger
from kit.messaging.deadletters import retry_topic
from kit.metrics import GROUP_LAG_EVENTS, GROUP_LAG_SECONDS
from kit.waiting import wait

log = get_logger(__name__)

_EVERY_S = 10.0
_TIMEOUT_S = 30.0
# Limits the wait for a record that its topic may have deleted meanwhile.
_READ_S = 2.0
_REQUEST_MS = 5000


Groups = Mapping[str, Sequence[str]]
"""The name of each group → the topics that it reads."""


def with_retries(groups: Groups, without: Container[str] = ()) -> dict[str, Sequence[str]]:
    """`groups` and their retry groups (`<name>.retry`), except those of the groups in `without`."""
    retries = {
        f"{name}.retry": [retry_topic(topic, name) for topic in topics]
        for name, topics in groups.items()
        if name not in without
    }
    return {**groups, **retries}


@dataclass(frozen=True)
class Lag:
    """Lag of one group in one topic: number of events not processed, and age of the oldest one in seconds."""

    events: int
    oldest_s: float


def behind(
    positions: Mapping[TopicPartition, int], begins: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]
) -> dict[TopicPartition, tuple[int, int]]:
    """Returns, for each partition that is behind: (offset of the first unprocessed record, number of unprocessed
    records).

    `positions` are the committed offsets; where a group has none, it starts with the first record that exists.
    """
    found = {}
    for tp, end in ends.items():
        first = max(positions.get(tp, 0), begins[tp])
        if first < end:
            found[tp] = (first, end - first)
    return found


class Lags:
    """Measures the lag of `groups` regularly and sets the gauges.

    The gauges are removed while it cannot measure: an old value would suggest that all is well.
    """

    def __init__(self, bootstrap: str, groups: Groups) -> None:
        self._bootstrap = bootstrap
        self._groups = groups

    async def run(self, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            try:
                await self._measure_until(stopping)
            except Exception as error:
                if not is_outage(error):
                    raise
                log.warning("lag_not_measured", error=type(error).__name__)
            GROUP_LAG_EVENTS.clear()
            GROUP_LAG_SECONDS.clear()
            await wait(stopping, 1.0)

    async def _measure_until(self, stopping: asyncio.Event) -> None:
        async with _connected(self._bootstrap) as (admin, consumer):
            while not stopping.is_set():
                for (group, topic), lag in (await _measure(admin, consumer, self._groups)).items():
                    GROUP_LAG_EVENTS.labels(topic, group).set(lag.events)
                    GROUP_LAG_SECONDS.labels(topic, group).set(lag.oldest_s)
                await wait(stopping, _EVERY_S)


async def measure(bootstrap: str, groups: Groups) -> dict[tuple[str, str], Lag]:
    """Returns (group, topic) → lag, once. A topic that does not exist counts as empty. Raises errors of Kafka."""
    async with _connected(bootstrap) as (admin, consumer):
        return await _measure(admin, consumer, groups)


@asynccontextmanager
async def _connected(bootstrap: str) -> AsyncIterator[tuple[AIOKafkaAdminClient, AIOKafkaConsumer]]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=_REQUEST_MS)
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, request_timeout_ms=_REQUEST_MS)
    try:
        await admin.start()
        await consumer.start()
        yield admin, consumer
    finally:
        await consumer.stop()
        await admin.close()


async def _measure(
    admin: AIOKafkaAdminClient, consumer: AIOKafkaConsumer, groups: Groups
) -> dict[tuple[str, str], Lag]:
    async with asyncio.timeout(_TIMEOUT_S):
        topics = sorted({topic for names in groups.values() for topic in names})
        partitions = await _partitions(admin, topics)
        begins, ends = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
        found = {}
        for group, names in groups.items():
            offsets = await admin.list_consumer_group_offsets(group)
            positions = {tp: kept.offset for tp, kept in offsets.items() if kept.offset >= 0}
            mine = behind(positions, begins, {tp: end for tp, end in ends.items() if tp.topic in names})
            ages = await _ages(consumer, {tp: first for tp, (first, _) in mine.items()})
            for topic in names:
                events = sum(count for tp, (_, count) in mine.items() if tp.topic == topic)
                oldest_s = max((age for tp, age in ages.items() if tp.topic == topic), default=0.0)
                found[group, topic] = Lag(events, oldest_s)
        return found


async def _partitions(admin: AIOKafkaAdminClient, topics: Sequence[str]) -> list[TopicPartition]:
    described = await admin.describe_topics(list(topics))
    return [
        TopicPartition(topic["topic"], partition["partition"])
        for topic in described
        if topic["error_code"] == 0
        for partition in topic["partitions"]
    ]


async def _ages(consumer: AIOKafkaConsumer, firsts: Mapping[TopicPartition, int]) -> dict[TopicPartition, float]:
    """Age in seconds of the record at each offset, or of the next one that compaction has left."""
    if not firsts:
        return {}
    consumer.assign(list(firsts))
    ages: dict[TopicPartition, float] = {}
    try:
        for tp, first in firsts.items():
            consumer.seek(tp, first)
        end = time.monotonic() + _READ_S
        while (left := [tp for tp in firsts if tp not in ages]) and time.monotonic() < end:
            fetched = await consumer.getmany(*left, timeout_ms=200, max_records=len(left))
            for tp, records in fetched.items():
                ages[tp] = max(0.0, time.time() - records[0].timestamp / 1000)
    finally:
        consumer.unsubscribe()
    return ages
