"""Keeps the index in step with the topic of profils. Every worker reads the whole topic from its beginning, without a
consumer group."""

import asyncio
import time

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import ConsumerRecord
from pydantic import ValidationError

from contracts.evenements import CATALOGUE
from contracts.matching import EvenementProfil
from kit.clock import Clock
from kit.database.mongo import Database
from kit.errors import InvalidMessage, Stop, is_outage
from kit.http.health import NotReady
from kit.logging import get_logger
from kit.messaging.consumer import to_record
from kit.messaging.deadletters import DeadLetters
from kit.messaging.events import Record, decode
from kit.messaging.republication import progress_of
from kit.waiting import wait
from services.matching import store
from services.matching.index import Index
from services.matching.metrics import ILLISIBLES, PROFILS
from services.matching.vocabulary import VocabularyFull

log = get_logger(__name__)

TOPIC = EvenementProfil.topic
# Applying one slice blocks the event loop for some 10 ms, so that a long catch-up does not block other work.
_SLICE = 500
_FETCH_BYTES = 4 * 1024 * 1024
_PATIENCE_MS, _IMPATIENCE_MS = 5000, 200
_LOOK_EVERY_S = 5.0


class Reader:
    def __init__(self, bootstrap: str, index: Index, dead_letters: DeadLetters, db: Database, clock: Clock) -> None:
        self._bootstrap = bootstrap
        self._index = index
        self._dead_letters = dead_letters
        self._db = db
        self._clock = clock
        self._next: dict[TopicPartition, int] = {}
        self._ends: dict[TopicPartition, int] | None = None
        self._republication = -1
        self._looked_at = 0.0
        self._rebuilding: asyncio.Task[None] | None = None
        # Number of unreadable records that were not sent to the dead letters because the breaker is open.
        self._left = 0
        self.caught_up = asyncio.Event()

    async def check(self) -> None:
        """Health check. Raises NotReady until the index has caught up."""
        if not self.caught_up.is_set():
            lus, tous = len(self._index), await store.compter_actifs(self._db)
            part = min(100, lus * 100 // tous) if tous else 100
            raise NotReady(f"{part}\u00a0% de {tous:,} profils".replace(",", "\u202f"))

    async def run(self, stopping: asyncio.Event) -> None:
        """Reads until `stopping` is set, and continues after an outage. Raises Stop when too many records are
        unreadable."""
        while not stopping.is_set():
            try:
                await self._connected(stopping)
            except Exception as error:
                if not is_outage(error):
                    raise
                log.warning("profils_reader_waits", error=type(error).__name__)
            await wait(stopping, 1.0)

    async def _connected(self, stopping: asyncio.Event) -> None:
        consumer = AIOKafkaConsumer(
            TOPIC,
            bootstrap_servers=self._bootstrap,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=_FETCH_BYTES,
            retry_backoff_ms=100,
        )
        until_stop = asyncio.create_task(stopping.wait())
        try:
            await consumer.start()
            await self._take_positions(consumer)
            await self._keep_fast(consumer)
            while not stopping.is_set():
                patience_ms = _PATIENCE_MS if self.caught_up.is_set() else _IMPATIENCE_MS
                fetch = asyncio.create_task(consumer.getmany(timeout_ms=patience_ms, max_records=_SLICE))
                await asyncio.wait({fetch, until_stop}, return_when=asyncio.FIRST_COMPLETED)
                if not fetch.done():
                    fetch.cancel()
                    return
                await self._apply(fetch.result())
                await self._follow_republication(consumer)
                await self._keep_fast(consumer)
        finally:
            until_stop.cancel()
            await consumer.stop()

    async def _take_positions(self, consumer: AIOKafkaConsumer) -> None:
        """Seeks to where an earlier connection stopped. Without a group, the consumer has all partitions."""
        assigned = sorted(consumer.assignment())
        if not assigned:
            raise ConnectionError(f"{TOPIC} is not known to the broker yet")
        beginnings = await consumer.beginning_offsets(assigned)
        if self._ends is None:
            self._ends = await consumer.end_offsets(assigned)
        for tp in assigned:
            consumer.seek(tp, self._next.setdefault(tp, beginnings[tp]))

    async def _follow_republication(self, consumer: AIOKafkaConsumer) -> None:
        """Reads the whole topic again after it was republished.

        If the topic had lost its records, the old positions are meaningless, because new records start at lower
        offsets.
        """
        if not self.caught_up.is_set() or time.monotonic() - self._looked_at < _LOOK_EVERY_S:
            return
        self._looked_at = time.monotonic()
        try:
            progress = await progress_of(self._db, TOPIC)
        except Exception as error:
            if not is_outage(error):
                raise
            return
        if progress is None or not progress.done or progress.number == self._republication:
            return
        self._republication = progress.number
        self._next.clear()
        await self._take_positions(consumer)
        log.info("profils_read_again", republication=progress.number)

    async def _apply(self, fetched: dict[TopicPartition, list["ConsumerRecord[bytes, bytes]"]]) -> None:
        for tp, raws in fetched.items():
            for raw in raws:
                await self._apply_one(to_record(raw))
                self._next[tp] = raw.offset + 1
        PROFILS.set(len(self._index))

    async def _apply_one(self, record: Record) -> None:
        try:
            self._index.upsert(decode(record, TOPIC, CATALOGUE).event.profil)
        except (InvalidMessage, ValidationError, VocabularyFull, OverflowError) as error:
            ILLISIBLES.inc()
            # Every worker reads the record again at each start, but it is sent to the dead letters once.
            if not await store.est_note_illisible(self._db, record.partition, record.offset):
                if not await self._dead_letters.bury_or_leave(record, error):
                    self._left += 1
                    return
                await store.noter_illisible(self._db, record.partition, record.offset, self._clock.now())
        else:
            self._dead_letters.succeeded(TOPIC)

    async def _keep_fast(self, consumer: AIOKafkaConsumer) -> None:
        if not self.caught_up.is_set():
            if self._has_caught_up() and await self._topic_is_whole(consumer):
                if self._left > len(self._index):
                    # An incomplete index would miss people for every annonce from now on.
                    raise Stop(f"{self._left} unreadable profils: the code is suspected, not the messages")
                await asyncio.to_thread(self._index.rebuild)
                self.caught_up.set()
                log.info("index_caught_up", profils=len(self._index))
            return
        if self._rebuilding is not None and self._rebuilding.done():
            # A failed rebuild is a bug: stop the process rather than let the index become slower and slower.
            self._rebuilding.result()
            self._rebuilding = None
        if self._index.wants_rebuild and self._rebuilding is None:
            self._rebuilding = asyncio.create_task(asyncio.to_thread(self._index.rebuild))

    async def _topic_is_whole(self, consumer: AIOKafkaConsumer) -> bool:
        """False while the topic is being republished, because it is incomplete then."""
        progress = await progress_of(self._db, TOPIC)
        if progress is None or not progress.done:
            return False
        if progress.number != self._republication:
            # The end offset must be read after the last profil was published.
            self._republication = progress.number
            self._ends = await consumer.end_offsets(sorted(consumer.assignment()))
        return self._has_caught_up()

    def _has_caught_up(self) -> bool:
        return self._ends is not None and all(self._next[tp] >= end for tp, end in self._ends.items())
