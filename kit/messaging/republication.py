"""Repairs topics whose records were lost, by publishing them again from the owner's database.

The end offset of a topic never decreases while its records are kept. Every few seconds each owner compares the ends of
its topics with the ends it saw before. A lower end means a loss, even if the topic was created again. Two repairs
follow, in this order:
1. Every event of the last day is published again from the outbox, with its own id. Receivers drop the events that they
   have processed, so only undelivered ones take effect.
2. For a compacted topic, which new readers read from the beginning, the current state of every key (`Source`) is
   published with an id made of key and version. Receivers drop versions that they know.

The opposite case cannot be repaired: when the database knows nothing of a topic that has records, the database was
lost. The process reports this (`DatabaseLost`) until an operator asks for a republication.

Rows of the collection `republications`: {_id: topic, fins: ends last seen, numero, etat, demandee_at, rejouee_at,
apres: last key published, publies, total, lease_until, lease_token, base_perdue_at}.
"""

import asyncio
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kit.clock import Clock
from kit.database.mongo import Collection, Database, DuplicateKeyError
from kit.errors import Stop
from kit.http.health import NotReady
from kit.ids import new_id, stable_id
from kit.logging import get_logger
from kit.messaging.events import Event, encode
from kit.messaging.outbox import Outbox
from kit.messaging.producer import Producer
from kit.messaging.topics import Topics
from kit.metrics import REPUBLICATION_LEFT, TOPICS_LOST
from kit.waiting import every, outlast

log = get_logger(__name__)

_LOOK_EVERY_S = 5.0
_SLICE = 500
_LEASE = dt.timedelta(seconds=30)
_DONE, _TO_DO = "a_jour", "a_faire"

Document = Mapping[str, Any]


class DatabaseLost(Stop):
    """The database was emptied while this process was running. The process must restart, because the indexes are gone
    too."""


@dataclass(frozen=True)
class Source:
    """The states of a compacted topic: `collection` has a document {_id, version, …} per key, and `event` builds the
    event of its current state."""

    topic: str
    collection: Collection
    event: Callable[[Document], Event]


@dataclass(frozen=True)
class Progress:
    """`published` of `total` documents are done (0 of 0 for a topic without a source); `number` counts the
    republications."""

    topic: str
    done: bool
    published: int
    total: int
    number: int


def lost(seen: Mapping[str, int] | None, ends: Mapping[str, int]) -> bool:
    """True when records are missing that existed when the ends `seen` (partition → next offset) were stored.

    Also True when nothing was stored and the topic is empty: it is new or entirely lost, and republishing an empty
    database costs nothing.
    """
    if seen is None:
        return not any(ends.values())
    return any(ends.get(partition, 0) < end for partition, end in seen.items())


class Republication:
    """`topics.owned` are the topics that this service writes; `sources` covers the compacted ones among them."""

    def __init__(
        self,
        db: Database,
        topics: Topics,
        producer: Producer,
        outbox: Outbox,
        clock: Clock,
        service: str,
        sources: Sequence[Source] = (),
    ) -> None:
        self._db = db
        self._rows = db.republications
        self._known: set[str] = set()
        self._topics = topics
        self._producer = producer
        self._outbox = outbox
        self._clock = clock
        self._service = service
        self._owned = topics.owned
        self._sources = {source.topic: source for source in sources}

    async def begin(self) -> None:
        """First look; waits for Kafka. After it, the topics exist and losses are known."""
        await outlast(self.look)

    async def run(self, stopping: asyncio.Event) -> None:
        """Looks and repairs until `stopping` is set; waits while a server is away."""

        async def step() -> bool:
            await self.look()
            while not stopping.is_set() and await self.repair():
                continue
            return False

        await every(_LOOK_EVERY_S, step, stopping, away="republication_waits")

    async def look(self) -> None:
        """Compares the ends of the owned topics with those last seen, and requests a republication where records are
        missing."""
        await self._topics.ensure()
        found = await self._topics.ends()
        rows = {row["_id"]: row async for row in self._rows.find({"_id": {"$in": list(found)}}, {"fins": 1, "etat": 1})}
        gone = {topic for topic, ends in found.items() if await self._is_gone(topic, rows.get(topic, {}), ends)}
        for topic, ends in found.items():
            row = rows.get(topic, {})
            seen = row.get("fins")
            if seen is None and any(ends.values()) and await self._knows_nothing(topic):
                await self._tell_loss(topic, ends)
            elif topic in gone or (gone and seen):
                # Another topic of the same broker lost records too. The end of this one may already have grown past its
                # old value, so it is published again as well.
                await self._ask(topic, row, ends)
            elif seen != ends:
                await self._write(topic, row, {"$set": {"fins": ends}, "$setOnInsert": {"etat": _DONE, "numero": 0}})
            self._known.add(topic)

    async def _is_gone(self, topic: str, row: Document, ends: Mapping[str, int]) -> bool:
        return lost(row.get("fins"), ends) or (row.get("etat") == _DONE and await self._was_emptied(topic, ends))

    async def _was_emptied(self, topic: str, ends: Mapping[str, int]) -> bool:
        """True when a compacted topic is empty although the database has documents that were published.

        Covers records published and lost between two looks, which leave no trace in the ends.
        """
        source = self._sources.get(topic)
        if source is None or any(ends.values()) or await source.collection.find_one({}, {"_id": 1}) is None:
            return False
        if await self._outbox.waits(topic):
            return False
        # Records published after `ends` was read exist now, so the topic is not empty.
        return not any((await self._topics.ends()).get(topic, {}).values())

    async def _ask(self, topic: str, row: Document, ends: Mapping[str, int]) -> None:
        change = {"$set": {"fins": ends, **_request(self._clock.now())}, "$inc": {"numero": 1}}
        if await self._write(topic, row, change) and (seen := row.get("fins")):
            TOPICS_LOST.labels(topic).inc()
            log.error("topic_lost_records", topic=topic, seen=sum(seen.values()), ends=sum(ends.values()))

    async def _knows_nothing(self, topic: str) -> bool:
        """True when the database has forgotten `topic`, or is completely empty and has never seen it."""
        if topic in self._known:
            return True
        empty = [await self._db[name].find_one({}, {"_id": 1}) is None for name in ("inbox", "outbox")]
        return all(empty)

    async def _tell_loss(self, topic: str, ends: Mapping[str, int]) -> None:
        lost_row = {"fins": ends, "etat": _DONE, "numero": 0, "base_perdue_at": self._clock.now()}
        await self._write(topic, {}, {"$set": lost_row})
        log.critical("database_lost", topic=topic)
        if topic in self._known:
            raise DatabaseLost("the database no longer knows the topics that it has written")

    async def check_database(self) -> None:
        """Health check. Raises NotReady after the database was lost, until `ask` is called."""
        if await self._rows.find_one({"base_perdue_at": {"$ne": None}}) is not None:
            raise NotReady("perdue")

    async def _write(self, topic: str, row: Document, change: Mapping[str, Any]) -> bool:
        """Returns False when another process has changed the row since it was read."""
        as_read = {"_id": topic, "fins": row.get("fins"), **({"etat": row["etat"]} if row else {})}
        try:
            result = await self._rows.update_one(as_read, change, upsert=not row)
        except DuplicateKeyError:
            return False
        return bool(result.matched_count or result.upserted_id)

    async def repair(self) -> bool:
        """Does one step of a repair that no other process is doing. Returns False when there is none, or when it must
        wait."""
        now, token = self._clock.now(), new_id()
        free = {"$or": [{"lease_until": None}, {"lease_until": {"$lt": now}}]}
        row = await self._rows.find_one_and_update(
            {"_id": {"$in": self._owned}, "etat": {"$ne": _DONE}, **free},
            {"$set": {"lease_until": now + _LEASE, "lease_token": token}},
            sort=[("demandee_at", 1)],
        )
        if row is None:
            return False
        # Fencing token: if another process has taken over the repair, or it was requested again, this update matches
        # nothing.
        mine = {"_id": row["_id"], "lease_token": token}
        more, change = await self._step(row)
        await self._rows.update_one(mine, {"$set": {**change, "lease_until": None, "lease_token": None}})
        return more

    async def _step(self, row: Document) -> tuple[bool, dict[str, Any]]:
        """Returns whether the next step may follow at once, and the fields of the row to set."""
        topic = row["_id"]
        if row["rejouee_at"] is None:
            replayed = await self._outbox.replay(topic)
            log.info("outbox_replayed", topic=topic, events=replayed)
            return replayed == 0, {"rejouee_at": self._clock.now()}
        if await self._outbox.waits(topic, before=row["rejouee_at"]):
            # A compacted topic keeps the last record of a key, so older events must be published before the current
            # states.
            return False, {}
        source = self._sources.get(topic)
        documents = await self._next(source, row["apres"]) if source else []
        if source is None or not documents:
            REPUBLICATION_LEFT.labels(topic).set(0)
            log.info("republication_done", topic=topic, published=row["publies"])
            return True, {"etat": _DONE, "faite_at": self._clock.now()}
        await self._publish(source, documents)
        published = row["publies"] + len(documents)
        total = max(published, await source.collection.estimated_document_count())
        REPUBLICATION_LEFT.labels(topic).set(total - published)
        return True, {"apres": documents[-1]["_id"], "publies": published, "total": total}

    @staticmethod
    async def _next(source: Source, after: str) -> list[Document]:
        cursor = source.collection.find({"_id": {"$gt": after}}).sort("_id", 1).limit(_SLICE)
        return [document async for document in cursor]

    async def _publish(self, source: Source, documents: Sequence[Document]) -> None:
        """Publishes `documents`, then again those that changed while they were being published.

        The event of such a change may have been stored before our older state, and compaction would keep the older one.
        """
        while documents:
            now = self._clock.now()
            await self._producer.publish(
                [
                    encode(
                        source.event(document),
                        event_id=stable_id("republication", source.topic, document["_id"], document["version"]),
                        source=self._service,
                        at=now,
                    )
                    for document in documents
                ]
            )
            published = {document["_id"]: document["version"] for document in documents}
            versions = source.collection.find({"_id": {"$in": list(published)}}, {"version": 1})
            changed = [row["_id"] async for row in versions if row["version"] != published[row["_id"]]]
            documents = [row async for row in source.collection.find({"_id": {"$in": changed}})] if changed else []


def _request(at: dt.datetime) -> dict[str, Any]:
    """Fields of a row that request a complete republication of its topic."""
    return {
        "etat": _TO_DO,
        "demandee_at": at,
        "rejouee_at": None,
        "apres": "",
        "publies": 0,
        "total": 0,
        "lease_until": None,
        "lease_token": None,
        "base_perdue_at": None,
    }


async def ask(db: Database, at: dt.datetime) -> None:
    """Requests the republication of every topic of this service; the workers do it."""
    await db.republications.update_many({}, {"$set": _request(at), "$inc": {"numero": 1}})


async def progress(db: Database) -> list[Progress]:
    """Progress of every topic of this service, sorted by name."""
    return [_progress(row) async for row in db.republications.find().sort("_id", 1)]


def _progress(row: Document) -> Progress:
    return Progress(row["_id"], row["etat"] == _DONE, row.get("publies", 0), row.get("total", 0), row["numero"])


async def progress_of(db: Database, topic: str) -> Progress | None:
    """Progress of one topic of this service; None when no look has recorded it yet."""
    row = await db.republications.find_one({"_id": topic})
    return _progress(row) if row else None
