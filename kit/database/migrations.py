"""Migrates the database of a service once, in whichever of its processes starts first.

The collection `schema` has one row: {_id: "schema", version, lease_until, lease_token, fence}. `version` is the number
of migrations done. Migrations only go forwards, in order, under a lease; the other processes wait.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from kit.database import indexes
from kit.database.indexes import Index
from kit.database.mongo import Database, DuplicateKeyError, Session
from kit.errors import Stop, is_outage
from kit.ids import new_id
from kit.logging import get_logger
from kit.messaging.outbox import Outbox, Tx

log = get_logger(__name__)
T = TypeVar("T")

_ROW = "schema"
_LEASE_MS = 15_000
_PROLONGED_EVERY_S = 4.0
_LOOK_AGAIN_S = 0.2


class LeaseLost(Exception):
    """Another process holds the lease now: this one was blocked for longer than its lease lasts."""


class MigrationContext:
    """What a migration gets. All writes must go through `run`, which fails once another process holds the lease."""

    def __init__(self, db: Database, outbox: Outbox, token: str) -> None:
        self.db = db
        self._outbox = outbox
        self._token = token

    async def run(self, work: Callable[[Tx], Awaitable[T]]) -> T:
        """Runs `work(tx)` in a transaction, including the events it emits. Raises LeaseLost."""

        async def fenced(tx: Tx) -> T:
            await self._hold(tx.session)
            return await work(tx)

        return await self._outbox.run(fenced)

    async def hold(self) -> None:
        """Extends the lease. Call it before an operation that no transaction can contain (an index). Raises
        LeaseLost."""
        await self._hold(None)

    async def lots(self, collection: str, filtre: Mapping[str, Any], size: int = 200) -> AsyncIterator[list[str]]:
        """Yields the ids of the rows that match `filtre`, in order, in lists of at most `size`."""
        last: str | None = None
        while True:
            after = {} if last is None else {"_id": {"$gt": last}}
            cursor = self.db[collection].find({"$and": [dict(filtre), after]}, {"_id": 1}).sort("_id", 1).limit(size)
            ids = [row["_id"] async for row in cursor]
            if not ids:
                return
            yield ids
            last = ids[-1]

    async def drop_indexes(self, collection: str, names: Sequence[str]) -> None:
        """Drops indexes of an older version that are no longer used; ignores those that do not exist."""
        found = {index["name"] async for index in self.db[collection].list_indexes()}
        for name in names:
            if name in found:
                await self.hold()
                await self.db[collection].drop_index(name)

    async def _hold(self, session: Session | None) -> None:
        # A write rather than a read: if two transactions write this row, one of them fails.
        held = await self.db.schema.update_one(
            {"_id": _ROW, "lease_token": self._token},
            [{"$set": {"lease_until": _lease_end(), "fence": {"$add": [{"$ifNull": ["$fence", 0]}, 1]}}}],
            session=session,
        )
        if held.matched_count == 0:
            raise LeaseLost


Migration = Callable[[MigrationContext], Awaitable[None]]
"""A migration must be repeatable: after a crash it runs again from its beginning."""


@dataclass(frozen=True)
class Schema:
    """What a service declares. The first migration leads to version 1. Never remove, change or insert one."""

    indexes: Sequence[Index] = ()
    migrations: Sequence[Migration] = ()


async def migrate(db: Database, outbox: Outbox, schema: Schema) -> None:
    """Returns once the database matches `schema`, whichever process did the work.

    Raises Stop when a newer version of the code has migrated this database, and whatever a migration raises.
    """
    while not await _done(db, schema):
        try:
            async with _lease(db) as token:
                if token is not None:
                    await _work(MigrationContext(db, outbox, token), schema)
                    return
        except LeaseLost:
            log.warning("migration_lease_lost")
        await asyncio.sleep(_LOOK_AGAIN_S)


async def _done(db: Database, schema: Schema) -> bool:
    version = await _version(db)
    if version > len(schema.migrations):
        raise Stop(
            f"La base « {db.name} » est en version {version}, ce programme ne connaît que la version "
            f"{len(schema.migrations)} : lancez une version plus récente du programme."
        )
    return version == len(schema.migrations) and not await indexes.missing(db, schema.indexes)


async def _version(db: Database) -> int:
    row = await db.schema.find_one({"_id": _ROW}, {"version": 1})
    return int(row["version"]) if row else 0


async def _work(base: MigrationContext, schema: Schema) -> None:
    for number, migration in enumerate(schema.migrations, start=1):
        if number <= await _version(base.db):
            continue
        log.info("migration_starts", version=number)
        await migration(base)

        async def mark(tx: Tx, number: int = number) -> None:
            await tx.db.schema.update_one({"_id": _ROW}, {"$set": {"version": number}}, session=tx.session)

        await base.run(mark)
        log.info("migration_done", version=number)
    # After the migrations, because a unique index may need the data they correct.
    await indexes.apply(base.db, await indexes.missing(base.db, schema.indexes), base.hold)


def _lease_end() -> dict[str, object]:
    # The server's clock, because clocks of processes may differ.
    return {"$add": ["$$NOW", _LEASE_MS]}


@asynccontextmanager
async def _lease(db: Database) -> AsyncIterator[str | None]:
    """Yields the token of the lease, which is extended meanwhile and released at the end; None while another process
    holds it."""
    token = new_id()
    try:
        await db.schema.update_one({"_id": _ROW}, {"$setOnInsert": {"version": 0}}, upsert=True)
    except DuplicateKeyError:
        # Another process inserted the row at the same moment.
        log.debug("schema_row_exists")
    free = {"$or": [{"lease_until": None}, {"$expr": {"$lt": ["$lease_until", "$$NOW"]}}]}
    taken = await db.schema.update_one(
        {"_id": _ROW, **free}, [{"$set": {"lease_token": token, "lease_until": _lease_end()}}]
    )
    if taken.matched_count == 0:
        yield None
        return
    prolonging = asyncio.create_task(_prolong(db, token))
    try:
        yield token
    finally:
        prolonging.cancel()
        await asyncio.wait([prolonging])
        await db.schema.update_one(
            {"_id": _ROW, "lease_token": token}, {"$unset": {"lease_token": "", "lease_until": ""}}
        )


async def _prolong(db: Database, token: str) -> None:
    """Extends the lease in the background, for operations that take long without writing here (an index build)."""
    while True:
        await asyncio.sleep(_PROLONGED_EVERY_S)
        try:
            await db.schema.update_one({"_id": _ROW, "lease_token": token}, [{"$set": {"lease_until": _lease_end()}}])
        except Exception as error:
            if not is_outage(error):
                raise
            log.warning("migration_lease_not_prolonged", error=type(error).__name__)
