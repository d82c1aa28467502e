"""Fetches records of a group, hands them to a Processor, commits explicit offsets once their fate is met."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Protocol

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import (
    CommitFailedError,
    IllegalGenerationError,
    IllegalStateError,
    KafkaError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)
from aiokafka.structs import ConsumerRecord

from kit.deadletters import due_ms
from kit.events import Record, headers_of
from kit.health import NotReady
from kit.logging import get_logger
from kit.metrics import LAG_EVENTS, LAG_SECONDS
from kit.waiting import wait

log = get_logger(__name__)

_MAX_RECORDS = 200
# A commit costs a round trip and a write of the broker; what a crash leaves uncommitted is dropped by its ids.
_COMMIT_EVERY_S = 0.2
# An outage is waited for in place; the group must not take the partitions away meanwhile.
_MAX_POLL_INTERVAL_MS = 30 * 60 * 1000
_LOST_PARTITION = (
    CommitFailedError,
    IllegalGenerationError,
    IllegalStateError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)


class Processes(Protocol):
    """kit.processing.Processor, or whatever else lets records meet their fate."""

    async def process(self, records: Sequence[Record]) -> None:
        """Returns when every record has met its fate; raises kit.errors.Stop when the offset must not move."""
        ...


def to_record(raw: "ConsumerRecord[bytes, bytes]") -> Record:
    return Record(raw.topic, raw.partition, raw.offset, raw.key, raw.value, headers_of(raw.headers), raw.timestamp)


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka ships no types for it
    """Before partitions go to another member: the batch in hand finishes, and what is done is committed."""

    def __init__(self, busy: asyncio.Lock, flush: Callable[[], Awaitable[None]], joined: asyncio.Event) -> None:
        self._busy = busy
        self._flush = flush
        self._joined = joined

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        async with self._busy:
            await self._flush()
            log.info("partitions_revoked", count=len(revoked))

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        # Also with no partition: a member that others leave nothing to do is one that can take over.
        self._joined.set()
        log.info("partitions_assigned", count=len(assigned))


class Consumer:
    """`group` is the name of the service. With `delayed`, records wait for the time in their header (retry topics)."""

    def __init__(
        self, bootstrap: str, group: str, topics: Sequence[str], processor: Processes, *, delayed: bool = False
    ) -> None:
        self._bootstrap = bootstrap
        self._group = group
        self._topics = list(topics)
        self._processor = processor
        self._delayed = delayed
        self._busy = asyncio.Lock()
        self._consumer: AIOKafkaConsumer | None = None
        self._in_hand_since_ms: dict[str, int] = {}
        self._next_offset: dict[TopicPartition, int] = {}
        self._to_commit: dict[TopicPartition, int] = {}
        self._done = asyncio.Event()
        self._joined = asyncio.Event()

    async def check(self) -> None:
        """For the health page. Raises NotReady until the group has taken this consumer in for the first time."""
        if not self._joined.is_set():
            raise NotReady("pas encore admis")

    async def run(self, stopping: asyncio.Event) -> None:
        """Consumes until `stopping`, then leaves the group. Raises kit.errors.Stop when the process must end."""
        while not stopping.is_set():
            consumer = AIOKafkaConsumer(
                bootstrap_servers=self._bootstrap,
                group_id=self._group,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                max_poll_interval_ms=_MAX_POLL_INTERVAL_MS,
                session_timeout_ms=10000,
                heartbeat_interval_ms=2000,
                retry_backoff_ms=100,
                # New topics are seen by their metadata only.
                metadata_max_age_ms=30000,
            )
            listener = _Listener(self._busy, partial(self._commit, consumer), self._joined)
            consumer.subscribe(self._topics, listener=listener)
            try:
                await consumer.start()
                self._consumer = consumer
                await self._consume(consumer, stopping)
            except (KafkaError, ConnectionError) as error:
                log.warning("kafka_away", error=type(error).__name__)
                await wait(stopping, 1.0)
            finally:
                self._consumer = None
                await _stop(consumer)

    async def _consume(self, consumer: AIOKafkaConsumer, stopping: asyncio.Event) -> None:
        until_stop = asyncio.create_task(stopping.wait())
        committing = asyncio.create_task(self._commit_regularly(consumer))
        try:
            while not stopping.is_set():
                fetch = asyncio.create_task(consumer.getmany(timeout_ms=5000, max_records=_MAX_RECORDS))
                await asyncio.wait({fetch, until_stop}, return_when=asyncio.FIRST_COMPLETED)
                if not fetch.done():
                    # Uncommitted records are fetched again by whoever owns the partition next.
                    fetch.cancel()
                    return
                fetched = fetch.result()
                if fetched:
                    async with self._busy:
                        await self._process(fetched, stopping)
        finally:
            until_stop.cancel()
            committing.cancel()
            await self._commit(consumer)

    async def _process(
        self,
        fetched: dict[TopicPartition, list["ConsumerRecord[bytes, bytes]"]],
        stopping: asyncio.Event,
    ) -> None:
        records = [to_record(raw) for raws in fetched.values() for raw in raws]
        for tp, raws in fetched.items():
            self._next_offset[tp] = raws[0].offset
        for record in records:
            first = self._in_hand_since_ms.get(record.topic, record.timestamp_ms)
            self._in_hand_since_ms[record.topic] = min(first, record.timestamp_ms)
        if self._delayed:
            if not await self._process_when_due(records, stopping):
                return
        else:
            await self._processor.process(records)
        self._in_hand_since_ms.clear()
        done = {tp: raws[-1].offset + 1 for tp, raws in fetched.items()}
        self._next_offset.update(done)
        self._to_commit.update(done)
        self._done.set()

    async def _process_when_due(self, records: Sequence[Record], stopping: asyncio.Event) -> bool:
        """False when the process is to stop before all were due: nothing is committed then, the inbox drops repeats."""
        for record in sorted(records, key=due_ms):
            await wait(stopping, due_ms(record) / 1000 - time.time())
            if stopping.is_set():
                return False
            await self._processor.process([record])
        return True

    async def _commit_regularly(self, consumer: AIOKafkaConsumer) -> None:
        while True:
            await self._done.wait()
            await asyncio.sleep(_COMMIT_EVERY_S)
            self._done.clear()
            await self._commit(consumer)

    async def _commit(self, consumer: AIOKafkaConsumer) -> None:
        """Commits what is done of the partitions that are still ours. The rest comes again and is dropped."""
        offsets, self._to_commit = self._to_commit, {}
        still_ours = {tp: offset for tp, offset in offsets.items() if tp in consumer.assignment()}
        if not still_ours:
            return
        try:
            await consumer.commit(still_ours)
        except _LOST_PARTITION as error:
            log.info("commit_after_rebalance", error=type(error).__name__)
        except KafkaError as error:
            self._to_commit = {**still_ours, **self._to_commit}
            self._done.set()
            log.warning("commit_waits", error=type(error).__name__)

    async def refresh_lag(self) -> None:
        """Sets the lag gauges: in events, and in seconds of the oldest event that is not processed yet."""
        consumer = self._consumer
        lag = dict.fromkeys(self._topics, 0)
        if consumer is not None:
            for tp in consumer.assignment():
                highwater = consumer.highwater(tp)
                if highwater is not None:
                    lag[tp.topic] += max(0, highwater - self._next_offset.get(tp, highwater))
        now_ms = time.time() * 1000
        for topic in self._topics:
            since = self._in_hand_since_ms.get(topic)
            LAG_EVENTS.labels(topic, self._group).set(max(lag[topic], 1 if since else 0))
            LAG_SECONDS.labels(topic, self._group).set(max(0.0, (now_ms - since) / 1000) if since else 0.0)


async def _stop(consumer: AIOKafkaConsumer) -> None:
    try:
        await asyncio.wait_for(consumer.stop(), 10)
    except (TimeoutError, KafkaError) as error:
        log.warning("consumer_did_not_stop", error=type(error).__name__)
