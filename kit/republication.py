"""What the owner of a topic does when its records are lost: it publishes them again from its database.

The end of a topic never moves backwards while its records are kept. A look every few seconds at the ends of the owned
topics therefore notices a loss, whoever made the topic again, and starts two repairs in this order:

1. Every event of the last day (the outbox keeps that many) is published again under its own id. Receivers drop those
   that they have processed, so exactly what was on its way arrives.
2. A compacted topic, which new readers read whole, gets the present state of every key (`Source`), under an id made of
   key and version. Receivers drop versions that they know.

The other way round nothing can be repaired: a database that knows nothing of a topic that holds records was lost, and
says so (`DatabaseLost`) until somebody asks for a republication of what is there now.

Rows of the collection `republications`: {_id: topic, fins: the ends last seen, numero, etat, demandee_at, rejouee_at,
apres: the last key published, publies, total, lease_until, lease_token, base_perdue_at}.
"""

import asyncio
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kit.clock import Clock
from kit.errors import Stop
from kit.events import Event, encode
from kit.health import NotReady
from kit.ids import new_id, stable_id
from kit.logging import get_logger
from kit.metrics import REPUBLICATION_LEFT, TOPICS_LOST
from kit.mongo import Collection, Database, DuplicateKeyError
from kit.outbox import Outbox
from kit.producer import Producer
from kit.topics import Topics
from kit.waiting import every, outlast

log = get_logger(__name__)

_LOOK_EVERY_S = 5.0
_SLICE = 500
_LEASE = dt.timedelta(seconds=30)
_DONE, _TO_DO = "a_jour", "a_faire"

Document = Mapping[str, Any]


class DatabaseLost(Stop):
    """The database was emptied while this process worked with it: its indexes are gone too, and must be made first."""


@dataclass(frozen=True)
class Source:
    """`collection` holds a document {_id, version, …} for each key of `topic`; `event` says its present state."""

    topic: str
    collection: Collection
    event: Callable[[Document], Event]


@dataclass(frozen=True)
class Progress:
    """`published` of `total` documents (0 of 0 for a topic without a source); `number` counts republications."""

    topic: str
    done: bool
    published: int
    total: int
    number: int


def lost(seen: Mapping[str, int] | None, ends: Mapping[str, int]) -> bool:
    """Whether records are gone that were there when the ends `seen` (partition → next offset) were noted.

    Nothing noted and nothing there: the topic is new, or all is lost. To publish an empty database costs nothing.
    """
    if seen is None:
        return not any(ends.values())
    return any(ends.get(partition, 0) < end for partition, end in seen.items())


class Republication:
    """`topics.owned` are the topics that this service writes; `sources`: those of them that hold a state per key."""

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
        """The first look, waiting for Kafka: from here on the topics exist, and whether they are whole is known."""
        await outlast(self.look)

    async def run(self, stopping: asyncio.Event) -> None:
        """Looks and repairs until `stopping`; a server that is away is waited for."""

        async def step() -> bool:
            await self.look()
            while not stopping.is_set() and await self.repair():
                continue
            return False

        await every(_LOOK_EVERY_S, step, stopping, away="republication_waits")

    async def look(self) -> None:
        """Compares the ends of the owned topics with those last seen, and notes what must be published again."""
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
                # Kafka has lost more than this topic, and the end of another may have grown past its old one by now.
                await self._ask(topic, row, ends)
            elif seen != ends:
                await self._write(topic, row, {"$set": {"fins": ends}, "$setOnInsert": {"etat": _DONE, "numero": 0}})
            self._known.add(topic)

    async def _is_gone(self, topic: str, row: Document, ends: Mapping[str, int]) -> bool:
        return lost(row.get("fins"), ends) or (row.get("etat") == _DONE and await self._was_emptied(topic, ends))

    async def _was_emptied(self, topic: str, ends: Mapping[str, int]) -> bool:
        """Whether nothing is left of a topic of states, though its database holds some that were published.

        What was published and lost between two looks has moved no end that anybody has seen.
        """
        source = self._sources.get(topic)
        if source is None or any(ends.values()) or await source.collection.find_one({}, {"_id": 1}) is None:
            return False
        if await self._outbox.waits(topic):
            return False
        # What was published since the ends were read is there now.
        return not any((await self._topics.ends()).get(topic, {}).values())

    async def _ask(self, topic: str, row: Document, ends: Mapping[str, int]) -> None:
        change = {"$set": {"fins": ends, **_request(self._clock.now())}, "$inc": {"numero": 1}}
        if await self._write(topic, row, change) and (seen := row.get("fins")):
            TOPICS_LOST.labels(topic).inc()
            log.error("topic_lost_records", topic=topic, seen=sum(seen.values()), ends=sum(ends.values()))

    async def _knows_nothing(self, topic: str) -> bool:
        """Whether the database has forgotten `topic`, or never met it though it holds nothing at all."""
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
        """For the health page. Raises NotReady when the database was lost, until `ask` is called."""
        if await self._rows.find_one({"base_perdue_at": {"$ne": None}}) is not None:
            raise NotReady("perdue")

    async def _write(self, topic: str, row: Document, change: Mapping[str, Any]) -> bool:
        """False when `row` has changed since it was read: another process has looked later."""
        as_read = {"_id": topic, "fins": row.get("fins"), **({"etat": row["etat"]} if row else {})}
        try:
            result = await self._rows.update_one(as_read, change, upsert=not row)
        except DuplicateKeyError:
            return False
        return bool(result.matched_count or result.upserted_id)

    async def repair(self) -> bool:
        """Does one step of a repair that nobody else is at; False when there is none, or it must wait."""
        now, token = self._clock.now(), new_id()
        free = {"$or": [{"lease_until": None}, {"lease_until": {"$lt": now}}]}
        row = await self._rows.find_one_and_update(
            {"_id": {"$in": self._owned}, "etat": {"$ne": _DONE}, **free},
            {"$set": {"lease_until": now + _LEASE, "lease_token": token}},
            sort=[("demandee_at", 1)],
        )
        if row is None:
            return False
        # Fencing: what another took over, or asked for once more, is no longer ours to go on with.
        mine = {"_id": row["_id"], "lease_token": token}
        more, change = await self._step(row)
        await self._rows.update_one(mine, {"$set": {**change, "lease_until": None, "lease_token": None}})
        return more

    async def _step(self, row: Document) -> tuple[bool, dict[str, Any]]:
        """Returns whether the next step may follow at once, and what changes in the row."""
        topic = row["_id"]
        if row["rejouee_at"] is None:
            replayed = await self._outbox.replay(topic)
            log.info("outbox_replayed", topic=topic, events=replayed)
            return replayed == 0, {"rejouee_at": self._clock.now()}
        if await self._outbox.waits(topic, before=row["rejouee_at"]):
            # In a compacted topic the last record of a key is the one that stays: older states go first.
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
        """Publishes `documents`, and those again that have changed until their record was stored.

        The event of such a change may have been stored before ours, which is older, and the older one would stay.
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
    """What a row says once everything of its topic is to be published again."""
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
    """Every topic of this service is to be published again, whatever it holds; the workers do it."""
    await db.republications.update_many({}, {"$set": _request(at), "$inc": {"numero": 1}})


async def progress(db: Database) -> list[Progress]:
    """Of every topic of this service, by name."""
    return [_progress(row) async for row in db.republications.find().sort("_id", 1)]


def _progress(row: Document) -> Progress:
    return Progress(row["_id"], row["etat"] == _DONE, row.get("publies", 0), row.get("total", 0), row["numero"])


async def progress_of(db: Database, topic: str) -> Progress | None:
    """Of one topic of this service; None when nobody has looked at it yet."""
    row = await db.republications.find_one({"_id": topic})
    return _progress(row) if row else None
