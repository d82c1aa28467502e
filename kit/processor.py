"""What happens to the records that a consumer fetched: once, in a transaction, with a fate."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from typing import Any

from opentelemetry.trace import SpanKind

from kit import inbox, telemetry
from kit.clock import Clock
from kit.deadletters import DeadLetters, origin
from kit.errors import RetryLater, Stop, is_poison
from kit.events import Catalogue, Received, Record, class_of, decode
from kit.logging import bound, get_logger
from kit.metrics import DEAD_LETTERS, END_TO_END_SECONDS, EVENT_SECONDS, EVENTS, STALE
from kit.outbox import Outbox, Tx
from kit.waiting import jitter, outlast

log = get_logger(__name__)

Handler = Callable[[Any, Tx, Any], Awaitable[None]]
"""`async def on_<event>(event, tx, deps)`: all its writes use `tx.session`, all its events `tx.emit`."""

Handlers = Mapping[type[Any], Handler]

_IN_PLACE_TRIES = 3
_TYPE_SHOWN = 80
_begun: ContextVar[float] = ContextVar("begun")
"""When the task began with what it has in hand (monotonic seconds): several tasks share a Processor."""
_TOGETHER_BYTES = 256 * 1024
"""What one transaction takes in: many small events, or few large ones, whose effects then begin before the last is read
and whose size in memory is bounded however far a consumer lags."""


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
        """`deps` is handed to every handler: the stores and settings of the service. An event of which `ignore` is true
        costs no transaction."""
        self.consumer = consumer
        self._handlers = handlers
        self._deps = deps
        self._catalogue = catalogue
        self._outbox = outbox
        self._dead_letters = dead_letters
        self._clock = clock
        self._ignore = ignore
        # Series that begin at 0: the first of a kind is an increase.
        STALE.labels(consumer)
        for event in handlers:
            DEAD_LETTERS.labels(event.topic, consumer)

    async def process(self, records: Sequence[Record]) -> None:
        """Returns when every record has met its fate: its offset may move. Raises Stop, or Held, when it must not.

        Events share transactions; when one fails each of its events is tried alone: a bad event harms no other.
        A server that is away is waited for, in place: every other message would fail alike.
        """
        _begun.set(time.perf_counter())
        with EVENT_SECONDS.labels(self.consumer).time():
            for slice_ in slices(records):
                await self._together(slice_)

    async def pause_s(self, record: Record) -> float:
        """Seconds until `record`, which was put aside, is to be tried again; not positive: now."""
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
        # Those first for which somebody waits.
        if len(wanted) < 2 or not await self._all_at_once(wanted):
            for received in wanted:
                await self._alone(received)
        if unreadable:
            outcomes = await self._dead_letters.bury(unreadable)
            for (record, _), outcome in zip(unreadable, outcomes, strict=True):
                self._count(record, outcome)

    def _wanted(self, record: Record) -> Received | None:
        """None when it changes nothing here. Raises what is_poison when it cannot be read."""
        if class_of(record, origin(record), self._catalogue) not in self._handlers:
            self._count(record, "not_for_us")
            return None
        received = decode(record, origin(record), self._catalogue)
        if self._ignore(received.event):
            self._count(record, "ignored")
            return None
        return received

    async def _all_at_once(self, batch: Sequence[Received]) -> bool:
        """Each event acts in the trace of its own cause; the span of the batch links them."""
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
        """Of each record, once its fate is met: a count and a line."""
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
    """`records` in their order, cut where the bodies together would exceed `most_bytes`; a larger one is alone."""
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
