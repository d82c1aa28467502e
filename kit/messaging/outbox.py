"""Transactional outbox: state and events commit together. The writer publishes after the commit; a sweeper publishes
what a crash left behind.

Rows of the collection `outbox`: {_id: event id, topic, key, value, headers, created_at, publie_at, lease_until,
lease_token}. `publie_at` is None until the broker has stored the message. A row stays for a day after that, so that
recent events can be published again if the broker loses its data (kit.messaging.republication). Publishing twice is
harmless, because receivers drop event ids that they know. `value` is the body of the event as text, so that the
database can find the events that name an id and `Tx.forget` can erase it from them.
"""

import asyncio
import datetime as dt
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from kit import telemetry
from kit.clock import Clock
from kit.database.indexes import Index
from kit.database.mongo import Database, DuplicateKeyError, Mongo, Session
from kit.errors import is_outage
from kit.ids import new_id
from kit.logging import get_logger
from kit.messaging.events import Event, Message, encode
from kit.messaging.producer import Producer
from kit.metrics import OUTBOX_OLDEST, OUTBOX_SWEPT, OUTBOX_WAITING
from kit.waiting import every

log = get_logger(__name__)
T = TypeVar("T")
Rest = Callable[[dict[str, Any], str], dict[str, Any] | None]
"""(the body of an event, an id) → what may still be published of it once that id must be forgotten; None: nothing."""

_BATCH = 500
_LEASE = dt.timedelta(seconds=15)
# Writers publish within milliseconds; an unpublished row this old was left behind by a crash or an outage.
_LEFT_BEHIND = dt.timedelta(seconds=2)
_SWEEP_EVERY_S = 1.0
_MARK_AFTER_S = 0.2
# Longer than a consumer may lag before somebody reacts to its alert.
_KEPT_S = 24 * 3600
WAITING = {"publie_at": None}
"""Filter for rows whose message the broker has not stored yet."""
INDEXES = [
    Index("outbox", [("publie_at", 1), ("created_at", 1)]),
    Index("outbox", [("publie_at", 1)], expires_s=_KEPT_S),
]


class Tx:
    """One attempt of a transaction: pass `session` to every Mongo call, and call `emit` for every event."""

    def __init__(self, db: Database, session: Session) -> None:
        self.db = db
        self.session = session
        self.events: list[tuple[str, Event, Mapping[str, str]]] = []
        self.callbacks: list[Callable[[], None]] = []

    def emit(self, event: Event, *, event_id: str | None = None, cause: Mapping[str, str] | None = None) -> None:
        """Publishes `event` if and only if this transaction commits. Pass `event_id` where a replay must produce the
        same id.

        The event belongs to the trace of the current span, or to `cause` ({"traceparent": …}) where one transaction
        serves several causes.
        """
        if cause is None:
            cause = telemetry.cause(event.type_name())
        self.events.append((event_id or new_id(), event, cause))

    async def forget(self, id_: str, rest: Rest) -> None:
        """Of the events that mention `id_`, only their `rest` may be published from now on: of those in the outbox,
        published or not, and of those that this transaction has emitted before.

        Looks through the whole outbox. What is on its way to the broker at this moment still arrives.
        """
        self.events = [
            (event_id, remaining, cause)
            for event_id, event, cause in self.events
            if (remaining := _rest_of(event, id_, rest)) is not None
        ]
        async for row in self.db.outbox.find(_mentions(id_), {"value": 1}, session=self.session):
            text = _text(row["value"])
            if id_ not in text:
                continue
            left = rest(json.loads(text), id_)
            if left is None:
                await self.db.outbox.delete_one({"_id": row["_id"]}, session=self.session)
            else:
                value = json.dumps(left, ensure_ascii=False, separators=(",", ":"))
                await self.db.outbox.update_one({"_id": row["_id"]}, {"$set": {"value": value}}, session=self.session)

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Calls `callback` after a successful commit; never for an attempt that was rolled back."""
        self.callbacks.append(callback)


class Outbox:
    def __init__(self, mongo: Mongo, producer: Producer, clock: Clock, source: str) -> None:
        """`source` is the name of the service, used for ce_source."""
        self._mongo = mongo
        self._producer = producer
        self._clock = clock
        self._source = source
        self._waiting: list[tuple[str, Message]] = []
        self._publishing: asyncio.Task[None] | None = None
        self._later: asyncio.TimerHandle | None = None
        self._published: list[str] = []
        self._marking: asyncio.Task[None] | None = None

    async def run(self, work: Callable[[Tx], Awaitable[T]], *, within_s: float = 0.0) -> T:
        """Runs `work(tx)` in a transaction that also inserts the rows of emitted events, then publishes these in the
        background: at once, or up to `within_s` later (less than the sweeper's delay) to form larger batches.

        Raises what `work` raises; nothing is stored then.
        """
        last: Tx | None = None
        messages: list[tuple[str, Message]] = []

        async def attempt(session: Session) -> T:
            nonlocal last, messages
            last = Tx(self._mongo.db, session)
            result = await work(last)
            now = self._clock.now()
            messages = [
                (id_, encode(event, event_id=id_, source=self._source, at=now, cause=cause))
                for id_, event, cause in last.events
            ]
            rows = [_row(id_, message, now) for id_, message in messages]
            if len(rows) == 1:
                # Most transactions emit one event, and a bulk insert of one row is slower.
                await self._mongo.db.outbox.insert_one(rows[0], session=session)
            elif rows:
                await self._mongo.db.outbox.insert_many(rows, session=session)
            return result

        result = await self._mongo.transaction(attempt)
        self._publish_soon(messages, within_s)
        if last is not None:
            for callback in last.callbacks:
                callback()
        return result

    async def run_or_find(self, work: Callable[[Tx], Awaitable[T]]) -> T:
        """Like `run`, for work that looks for what it would insert. Of two requests for the same thing at one moment,
        one fails because the row exists already: it runs again, once, and finds what the other one stored."""
        try:
            return await self.run(work)
        except DuplicateKeyError:
            return await self.run(work)

    def _publish_soon(self, messages: list[tuple[str, Message]], within_s: float) -> None:
        if not messages:
            return
        self._waiting.extend(messages)
        if within_s <= 0:
            self._publish_now()
        elif self._later is None:
            self._later = asyncio.get_running_loop().call_later(within_s, self._publish_now)

    def _publish_now(self) -> None:
        if self._later is not None:
            self._later.cancel()
            self._later = None
        if self._publishing is None or self._publishing.done():
            self._publishing = asyncio.create_task(self._publish_waiting())

    async def _publish_waiting(self) -> None:
        # Messages that arrive during a publication form the next batch, so batches grow with the load and no timer adds
        # delay.
        while self._waiting:
            batch, self._waiting = self._waiting[:_BATCH], self._waiting[_BATCH:]
            try:
                await self._producer.publish([message for _, message in batch])
                self._mark_soon([id_ for id_, _ in batch])
            except Exception as error:
                # The rows are committed, so the sweeper publishes them once the server is back.
                if not is_outage(error):
                    raise
                log.warning("outbox_left_to_sweeper", rows=len(batch), error=type(error).__name__)

    def _mark_soon(self, ids: list[str]) -> None:
        self._published += ids
        if self._marking is None or self._marking.done():
            self._marking = asyncio.create_task(self._mark())

    async def _mark(self) -> None:
        """Marks published rows in groups. No caller waits for this, and the sweeper ignores rows this young."""
        while self._published:
            await asyncio.sleep(_MARK_AFTER_S)
            ids, self._published = self._published, []
            try:
                await self._mongo.db.outbox.update_many({"_id": {"$in": ids}}, self._published_now())
            except Exception as error:
                # The sweeper publishes the rows once more; receivers drop the duplicates.
                if not is_outage(error):
                    raise
                log.warning("outbox_left_to_sweeper", rows=len(ids), error=type(error).__name__)

    async def settle(self) -> None:
        """Publishes what waits, and waits for running publications; called at the end of the process."""
        if self._later is not None:
            self._publish_now()
        if self._publishing is not None:
            await asyncio.wait([self._publishing], timeout=10)
        if self._marking is not None:
            await asyncio.wait([self._marking], timeout=10)

    async def sweep(self) -> int:
        """Publishes one batch of rows that were left behind. Returns the number of rows."""
        now = self._clock.now()
        token = new_id()
        free = {
            **WAITING,
            "created_at": {"$lt": now - _LEFT_BEHIND},
            "$or": [{"lease_until": None}, {"lease_until": {"$lt": now}}],
        }
        cursor = self._mongo.db.outbox.find(free, {"_id": 1}).sort("created_at", 1).limit(_BATCH)
        ids = [row["_id"] async for row in cursor]
        if not ids:
            return 0
        await self._mongo.db.outbox.update_many(
            {"_id": {"$in": ids}, **free}, {"$set": {"lease_until": now + _LEASE, "lease_token": token}}
        )
        mine = [
            row
            async for row in self._mongo.db.outbox.find({"_id": {"$in": ids}, "lease_token": token}).sort(
                "created_at", 1
            )
        ]
        if mine:
            await self._producer.publish([_message(row) for row in mine])
            # Fencing token: a row whose lease has passed to another sweeper is not marked here.
            await self._mongo.db.outbox.update_many(
                {"_id": {"$in": [row["_id"] for row in mine]}, "lease_token": token}, self._published_now()
            )
            OUTBOX_SWEPT.inc(len(mine))
        return len(mine)

    def _published_now(self) -> dict[str, Any]:
        return {"$set": {"publie_at": self._clock.now(), "lease_until": None, "lease_token": None}}

    async def replay(self, topic: str) -> int:
        """Marks the published rows of `topic` as unpublished, so that the sweeper publishes them again. Returns the
        number of rows."""
        published = {"topic": topic, "publie_at": {"$ne": None}}
        return int((await self._mongo.db.outbox.update_many(published, {"$set": WAITING})).modified_count)

    async def waits(self, topic: str, before: dt.datetime | None = None) -> bool:
        """True when a row of `topic`, created earlier than `before` if given, is not published yet."""
        older = {"created_at": {"$lt": before}} if before else {}
        return await self._mongo.db.outbox.find_one({**WAITING, **older, "topic": topic}) is not None

    async def measure(self) -> None:
        """Updates the gauges; called before each scrape of /metrics."""
        OUTBOX_WAITING.set(await self._mongo.db.outbox.count_documents(WAITING))
        oldest = await self._mongo.db.outbox.find_one(WAITING, {"created_at": 1}, sort=[("created_at", 1)])
        age = (self._clock.now() - oldest["created_at"]).total_seconds() if oldest else 0.0
        OUTBOX_OLDEST.set(max(0.0, age))

    async def run_sweeper(self, stopping: asyncio.Event) -> None:
        """Sweeps until `stopping` is set; waits while a server is away."""

        async def look() -> bool:
            return await self.sweep() == _BATCH

        await every(_SWEEP_EVERY_S, look, stopping, away="outbox_sweep_waits")


def _row(id_: str, message: Message, now: dt.datetime) -> dict[str, Any]:
    return {
        "_id": id_,
        "topic": message.topic,
        "key": message.key,
        "value": (message.value or b"").decode(),
        "headers": dict(message.headers),
        "created_at": now,
        "publie_at": None,
        "lease_until": None,
        "lease_token": None,
    }


def _message(row: dict[str, Any]) -> Message:
    return Message(row["topic"], row["key"], _text(row["value"]).encode(), row["headers"])


def _text(value: str | bytes) -> str:
    """The body of an event; rows of the first releases hold it as bytes."""
    return value if isinstance(value, str) else value.decode()


def _mentions(id_: str) -> dict[str, Any]:
    """The filter of the rows whose event names `id_`, and of those in which the database cannot look."""
    return {"$or": [{"value": {"$regex": re.escape(json.dumps(id_))}}, {"value": {"$type": "binData"}}]}


def _rest_of(event: Event, id_: str, rest: Rest) -> Event | None:
    text = event.model_dump_json()
    if id_ not in text:
        return event
    left = rest(json.loads(text), id_)
    return None if left is None else event.model_validate_json(json.dumps(left))
