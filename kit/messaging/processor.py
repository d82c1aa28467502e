"""Processes the records that a consumer fetched: each takes effect once, in a transaction, and every error decides what
becomes of the record."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from typing import Any

from opentelemetry.trace import SpanKind

from kit import telemetry
from kit.clock import Clock
from kit.errors import RetryLater, Stop, is_poison
from kit.logging import bound, get_logger
from kit.messaging import inbox
from kit.messaging.deadletters import DeadLetters, origin
from kit.messaging.events import Catalogue, Received, Record, class_of, decode
from kit.messaging.outbox import Outbox, Tx
from kit.metrics import DEAD_LETTERS, END_TO_END_SECONDS, EVENT_SECONDS, EVENTS, STALE
from kit.waiting import jitter, outlast

log = get_logger(__name__)

Handler = Callable[[Any, Tx, Any], Awaitable[None]]
"""`async def on_<event>(event, tx, deps)`: all writes use `tx.session`, all events go through `tx.emit`."""

Handlers = Mapping[type[Any], Handler]

_IN_PLACE_TRIES = 3
_TYPE_SHOWN = 80
_begun: ContextVar[float] = ContextVar("begun")
"""Monotonic time at which the current task began its records; a context variable because several tasks share a
Processor."""
_TOGETHER_BYTES = 256 * 1024
"""Maximum size of the bodies handled in one transaction: many small events or few large ones. It limits memory when a
consumer lags, and the first effects are committed before the last record is read."""


class Processor:
    def __init__(
        self,
        *,
        consumer: str,
        handlers: Handlers,
        deps: Any,
        catalogue: Catalogue,
        outbox: Outbox,
        dead_letters: DeadLetters,
        clock: Clock,
        ignore: Callable[[Any], bool] = lambda event: False,
    ) -> None:
        """`deps` (stores and settings of the service) is passed to every handler. Events for which `ignore` returns
        True start no transaction."""
        self.consumer = consumer
        self._handlers = handlers
        self._deps = deps
        self._catalogue = catalogue
        self._outbox = outbox
        self._dead_letters = dead_letters
        self._clock = clock
        self._ignore = ignore
        # Create the series with value 0, so that the first occurrence is visible as an increase.
        STALE.labels(consumer)
        for event in handlers:
            DEAD_LETTERS.labels(event.topic, consumer)

    async def process(self, records: Sequence[Record]) -> None:
        """Returns when every record is handled and its offset may move. Raises Stop or Held when it must not move.

        Events share a transaction. If it fails, each event is tried alone, so that a bad event does not affect others.
        While a server is away this waits, since every other message would fail too.
        """
        _begun.set(time.perf_counter())
        with EVENT_SECONDS.labels(self.consumer).time():
            for slice_ in slices(records):
                await self._together(slice_)

    async def pause_s(self, record: Record) -> float:
        """Seconds until `record`, which was put aside, is due; zero or negative when it is due now."""
        return await self._dead_letters.pause_s(record)

    async def _together(self, records: Sequence[Record]) -> None:
        wanted: list[Received] = []
        unreadable: list[tuple[Record, BaseException]] = []
        for record in records:
            try:
                if (received := self._wanted(record)) is not None:
                    wanted.append(received)
            except Exception as error:
                if not is_poison(error):
                    raise
                unreadable.append((record, error))
        # Process events before burying the unreadable ones: people wait for their effects.
        if len(wanted) < 2 or not await self._all_at_once(wanted):
            for received in wanted:
                await self._alone(received)
        if unreadable:
            outcomes = await self._dead_letters.bury(unreadable)
            for (record, _), outcome in zip(unreadable, outcomes, strict=True):
                self._count(record, outcome)

    def _wanted(self, record: Record) -> Received | None:
        """Returns None when no handler wants the record. Raises an `is_poison` error when the record cannot be read."""
        if class_of(record, origin(record), self._catalogue) not in self._handlers:
            self._count(record, "not_for_us")
            return None
        received = decode(record, origin(record), self._catalogue)
        if self._ignore(received.event):
            self._count(record, "ignored")
            return None
        return received

    async def _all_at_once(self, batch: Sequence[Received]) -> bool:
        """Processes the batch in one transaction; False when it failed. Each event runs in its own trace, and the span
        of the batch links to all of them."""
        links = telemetry.links(received.record.headers for received in batch)
        with telemetry.span(f"{self.consumer} batch", {}, kind=SpanKind.CONSUMER, links=links) as span:
            span.set_attribute("messaging.batch.message_count", len(batch))
            try:
                await self._transact(batch)
            except Exception as error:
                log.info("batch_falls_back_to_single_events", events=len(batch), error=type(error).__name__)
                return False
            return True

    async def _alone(self, received: Received) -> None:
        record = received.record
        with bound(**_place(record), event_id=received.id), self._span(received):
            for attempt in range(1, _IN_PLACE_TRIES + 1):
                try:
                    return await outlast(self._transact, [received])
                except inbox.AlreadyProcessed:
                    return self._count(record, "duplicate")
                except Stop:
                    raise
                except Exception as error:
                    if is_poison(error):
                        [outcome] = await self._dead_letters.bury([(record, error)])
                        return self._count(record, outcome)
                    if attempt == _IN_PLACE_TRIES:
                        if not isinstance(error, RetryLater):
                            log.exception("handler_failed")
                        return self._count(record, await self._dead_letters.retry_or_bury(record, error))
                    await asyncio.sleep(jitter(0.05 * 4**attempt))

    async def _transact(self, batch: Sequence[Received]) -> None:
        async def work(tx: Tx) -> None:
            await inbox.mark(tx.db, self.consumer, [r.id for r in batch], self._clock.now(), tx.session)
            for received in batch:
                with self._span(received) if len(batch) > 1 else nullcontext():
                    await self._handlers[type(received.event)](received.event, tx, self._deps)

        await self._outbox.run(work)
        now_ms = self._clock.now().timestamp() * 1000
        for received in batch:
            self._count(received.record, "processed")
            self._dead_letters.succeeded(origin(received.record))
            age = max(0.0, (now_ms - received.record.timestamp_ms) / 1000)
            END_TO_END_SECONDS.labels(origin(received.record), self.consumer).observe(age)

    def _span(self, received: Received) -> AbstractContextManager[object]:
        attributes = {
            "messaging.system": "kafka",
            "messaging.destination.name": received.record.topic,
            "messaging.consumer.group.name": self.consumer,
        }
        name = type(received.event).__name__
        return telemetry.span(name, received.record.headers, kind=SpanKind.CONSUMER, attributes=attributes)

    def _count(self, record: Record, outcome: str) -> None:
        """Counts and logs a record once it is handled."""
        EVENTS.labels(origin(record), self.consumer, outcome).inc()
        log.info(
            "record",
            type=record.headers.get("ce_type", "")[:_TYPE_SHOWN],
            **_place(record),
            outcome=outcome,
            ms=round((time.perf_counter() - _begun.get()) * 1000, 1),
            trace=telemetry.trace_of(record.headers) or telemetry.trace_id(),
        )


def _place(record: Record) -> dict[str, Any]:
    return {"topic": record.topic, "partition": record.partition, "offset": record.offset}


def slices(records: Sequence[Record], most_bytes: int = _TOGETHER_BYTES) -> Iterator[list[Record]]:
    """Splits `records`, in order, so that the bodies of a slice have at most `most_bytes`; a larger record gets a slice
    of its own."""
    together: list[Record] = []
    size = 0
    for record in records:
        weight = len(record.value or b"")
        if together and size + weight > most_bytes:
            yield together
            together, size = [], 0
        together.append(record)
        size += weight
    if together:
        yield together
