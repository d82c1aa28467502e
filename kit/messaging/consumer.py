"""Fetches records for a consumer group, hands them to a Processor, and commits their offsets once they are handled.

A record is handled when it was processed, put aside (retry or held topic) or dead-lettered. No offset is ever committed
past a record that is not handled, however the consumer ends: `Offsets` computes what may be committed, one lock covers
fetching and processing, and a rebalance waits for that lock before it gives partitions back.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

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

from kit.errors import Held
from kit.http.health import NotReady
from kit.logging import get_logger
from kit.messaging.events import Record, headers_of
from kit.messaging.offsets import Offsets
from kit.messaging.patience import DatabaseAway, Patience
from kit.waiting import first_of, outlast, wait

log = get_logger(__name__)

# One event may alert thousands of people; the effects of more records would not fit into one transaction.
_MAX_RECORDS = 100
_FETCH_S = 5.0
# A commit costs a round trip and a write on the broker. Records processed but not committed before a crash are fetched
# again, and dropped by their event ids.
_COMMIT_EVERY_S = 0.2
# Longer than any batch takes, so that the group does not take partitions away from a member that is only slow.
_MAX_POLL_INTERVAL_MS = 5 * 60 * 1000
_SESSION_MS = 10000
_LOST_PARTITION = (
    CommitFailedError,
    IllegalGenerationError,
    IllegalStateError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)

PauseOf = Callable[[Record], Awaitable[float]]
Fetched = dict[TopicPartition, list["ConsumerRecord[bytes, bytes]"]]


class RecordProcessor(Protocol):
    """What the consumer needs of kit.messaging.processor.Processor."""

    async def process(self, records: Sequence[Record]) -> None:
        """Returns when every record is handled. Raises kit.errors.Stop when the process must end, and Held when a
        record must stay where it is for now."""
        ...


def to_record(raw: "ConsumerRecord[bytes, bytes]") -> Record:
    return Record(raw.topic, raw.partition, raw.offset, raw.key, raw.value, headers_of(raw.headers), raw.timestamp)


class Consumer(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka ships no types for it
    """`group` is the name of the service. `ping` raises when the database is away, since nothing can be processed then.

    Pass `pause_s` when the topics hold messages that were put aside: it returns in how many seconds a record is due,
    and a record that is not due does not block those of other partitions. `connect` creates the Kafka client; tests
    replace it.
    """

    def __init__(
        self,
        bootstrap: str,
        group: str,
        topics: Sequence[str],
        processor: RecordProcessor,
        *,
        ping: Callable[[], Awaitable[None]],
        pause_s: PauseOf | None = None,
        connect: Callable[..., Any] = AIOKafkaConsumer,
    ) -> None:
        self._bootstrap = bootstrap
        self._group = group
        self._topics = list(topics)
        self._processor = processor
        self._pause_s = pause_s
        self._connect = connect
        self._consumer: Any = None
        self._stopping = asyncio.Event()
        self._offsets = Offsets()
        # Locked while records are fetched or processed.
        self._busy = asyncio.Lock()
        self._committing = asyncio.Lock()
        self._revoking = asyncio.Event()
        self._something_done = asyncio.Event()
        self._resume_at: dict[TopicPartition, float] = {}
        self._patience = Patience(ping)
        self._joined = asyncio.Event()

    async def check(self) -> None:
        """Health check. Raises NotReady until the group has accepted this consumer for the first time."""
        if not self._joined.is_set():
            raise NotReady("pas encore admis")

    async def run(self, stopping: asyncio.Event) -> None:
        """Consumes until `stopping` is set, then leaves the group. Raises kit.errors.Stop when the process must end.

        While the database does not answer, this consumer leaves the group, so that other members get its partitions.
        """
        self._stopping = stopping
        while await self._patience.until_back(stopping):
            self._consumer = self._connect(
                bootstrap_servers=self._bootstrap,
                group_id=self._group,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                max_poll_interval_ms=_MAX_POLL_INTERVAL_MS,
                session_timeout_ms=_SESSION_MS,
                heartbeat_interval_ms=2000,
                retry_backoff_ms=100,
                # aiokafka notices new topics only when it refreshes its metadata.
                metadata_max_age_ms=30000,
            )
            self._forget()
            self._consumer.subscribe(self._topics, listener=self)
            try:
                await self._consumer.start()
                await self._consume()
            except DatabaseAway:
                log.warning("partitions_left_to_others", group=self._group)
            except (KafkaError, ConnectionError) as error:
                log.warning("kafka_away", error=type(error).__name__)
                await wait(stopping, 1.0)
            finally:
                consumer, self._consumer = self._consumer, None
                await _stop(consumer)
                await self._patience.settle()

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Called before partitions go to another member: waits for the current batch and commits what is handled."""
        self._revoking.set()
        async with self._busy:
            await self._commit()
            self._forget()
            self._revoking.clear()
        log.info("partitions_revoked", count=len(revoked))

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        # An empty assignment counts too: such a member is ready to take over partitions.
        self._joined.set()
        log.info("partitions_assigned", count=len(assigned))

    def _forget(self) -> None:
        self._offsets.clear()
        self._resume_at.clear()

    async def _consume(self) -> None:
        committing = asyncio.create_task(self._commit_regularly())
        try:
            while not self._stopping.is_set():
                async with self._busy:
                    if fetched := await self._fetch():
                        await self._meet_fate(fetched)
        finally:
            committing.cancel()
            await asyncio.wait({committing})
            await self._commit()

    def _must_let_go(self) -> bool:
        return self._stopping.is_set() or self._revoking.is_set()

    async def _fetch(self) -> Fetched:
        """Returns the next records; none when partitions are about to be revoked, because the batch would delay the
        rebalance."""
        timeout_ms = math.ceil(self._resume_s() * 1000)
        fetch = asyncio.create_task(self._consumer.getmany(timeout_ms=timeout_ms, max_records=_MAX_RECORDS))
        try:
            await first_of(self._stopping, self._revoking, fetch)
            return fetch.result() if fetch.done() else {}
        finally:
            fetch.cancel()
            await asyncio.wait({fetch})

    def _resume_s(self) -> float:
        """Resumes the paused partitions whose first record is due. Returns how many seconds to wait for records at
        most."""
        now = asyncio.get_running_loop().time()
        for tp in [tp for tp, at in self._resume_at.items() if at <= now]:
            del self._resume_at[tp]
            self._consumer.resume(tp)
        return min([_FETCH_S, *(at - now for at in self._resume_at.values())])

    async def _meet_fate(self, fetched: Fetched) -> None:
        records = []
        for tp, raws in fetched.items():
            left = self._offsets.take(tp, [raw.offset for raw in raws])
            records += [to_record(raw) for raw in raws if raw.offset in left]
        if self._pause_s is not None:
            await self._try_what_is_due(records, self._pause_s)
        elif records:
            await self._patience.unless_away(self._processor.process(records))
            for record in records:
                self._offsets.done(_tp(record), record.offset)
        self._something_done.set()

    async def _try_what_is_due(
        self, records: Sequence[Record], pause_s_of: Callable[[Record], Awaitable[float]]
    ) -> None:
        """Handles the records that are due. A partition with a record that is not due is rewound to that record and
        paused until then."""
        pauses = await self._patience.unless_away(outlast(_all, pause_s_of, records))
        waiting: dict[TopicPartition, float] = {}
        for pause_s, record in sorted(zip(pauses, records, strict=True), key=lambda pair: pair[0]):
            if self._must_let_go():
                return
            still_s = pause_s if pause_s > 0 else await self._try_aside(record)
            if still_s > 0:
                waiting[_tp(record)] = min(still_s, waiting.get(_tp(record), still_s))
            else:
                self._offsets.done(_tp(record), record.offset)
        for tp, still_s in waiting.items():
            self._consumer.seek(tp, self._offsets.step_back(tp))
            self._consumer.pause(tp)
            self._resume_at[tp] = asyncio.get_running_loop().time() + still_s

    async def _try_aside(self, record: Record) -> float:
        """Returns 0 when `record` is handled, else the seconds until it is to be tried again."""
        try:
            await self._patience.unless_away(self._processor.process([record]))
        except Held as held:
            return held.pause_s
        return 0.0

    async def _commit_regularly(self) -> None:
        while True:
            await self._something_done.wait()
            await asyncio.sleep(_COMMIT_EVERY_S)
            self._something_done.clear()
            await self._commit()

    async def _commit(self) -> None:
        """Commits what is handled in the partitions still assigned to us. The new owner fetches the rest again and
        drops what was processed."""
        # One commit at a time: an older position must not overwrite a newer one.
        async with self._committing:
            consumer = self._consumer
            assigned = consumer.assignment() if consumer is not None else ()
            offsets = {tp: offset for tp, offset in self._offsets.to_commit().items() if tp in assigned}
            if not offsets:
                return
            try:
                await consumer.commit(offsets)
                self._offsets.committed(offsets)
            except _LOST_PARTITION as error:
                log.info("commit_after_rebalance", error=type(error).__name__)
            except KafkaError as error:
                self._something_done.set()
                log.warning("commit_waits", error=type(error).__name__)


async def _all(ask: PauseOf, records: Sequence[Record]) -> list[float]:
    return [await ask(record) for record in records]


def _tp(record: Record) -> TopicPartition:
    return TopicPartition(record.topic, record.partition)


async def _stop(consumer: Any) -> None:
    try:
        await asyncio.wait_for(consumer.stop(), 10)
    except (TimeoutError, KafkaError) as error:
        log.warning("consumer_did_not_stop", error=type(error).__name__)
