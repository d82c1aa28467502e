"""The only module that imports motor: connections, transactions, and which errors mean that Mongo is away.

Motor gets critical fixes until May 2027; its successor is pymongo.AsyncMongoClient. Only this file will change then.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from motor.motor_asyncio import (
    AsyncIOMotorClient,
    AsyncIOMotorClientSession,
    AsyncIOMotorCollection,
    AsyncIOMotorDatabase,
)
from pymongo import WriteConcern
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ConnectionFailure,
    DuplicateKeyError,
    ExecutionTimeout,
    NetworkTimeout,
    PyMongoError,
    ServerSelectionTimeoutError,
    WriteConcernError,
)
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference

Database = AsyncIOMotorDatabase[dict[str, Any]]
Collection = AsyncIOMotorCollection[dict[str, Any]]
Session = AsyncIOMotorClientSession
T = TypeVar("T")

DUPLICATE_KEY = 11000
"""Server error code of a duplicate key."""

__all__ = [
    "DUPLICATE_KEY",
    "Collection",
    "Database",
    "DuplicateKeyError",
    "Mongo",
    "Session",
    "connect",
    "is_unavailable",
    "is_undecided",
    "write_error_codes",
]

# People wait for a page: during an outage a write takes at most this plus one more server selection. Consumers retry by
# themselves (kit.messaging.processor).
_TRANSACTION_DEADLINE_S = 3.0
_SELECTION_MS = 2000
_MAJORITY = WriteConcern("majority")
_UNAVAILABLE = (
    AutoReconnect,
    ConnectionFailure,
    ServerSelectionTimeoutError,
    NetworkTimeout,
    ExecutionTimeout,
    WriteConcernError,
)
# Codes with which a server says that it cannot serve any request now.
_UNAVAILABLE_CODES = frozenset(
    {
        6,  # HostUnreachable
        7,  # HostNotFound
        13,  # Unauthorized: its users were changed
        18,  # AuthenticationFailed
        24,  # LockTimeout
        39,  # FileOpenFailed
        50,  # MaxTimeMSExpired
        64,  # WriteConcernFailed
        89,  # NetworkTimeout
        91,  # ShutdownInProgress
        94,  # NotYetInitialized
        100,  # UnsatisfiableWriteConcern
        107,  # LockFailed
        112,  # WriteConflict
        133,  # FailedToSatisfyReadPreference
        134,  # ReadConcernMajorityNotAvailableYet
        189,  # PrimarySteppedDown
        202,  # NetworkInterfaceExceededTimeLimit
        246,  # SnapshotUnavailable
        262,  # ExceededTimeLimit
        290,  # TransactionExceededLifetimeLimitSeconds
        317,  # ConnectionPoolExpired
        318,  # UserWritesBlocked
        10107,  # NotWritablePrimary
        11600,  # InterruptedAtShutdown
        11602,  # InterruptedDueToReplStateChange
        13435,  # NotPrimaryNoSecondaryOk
        13436,  # NotPrimaryOrSecondary
        14031,  # OutOfDiskSpace
    }
)
# A full disk (ENOSPC) or quota (EDQUOT) has no error code of its own, only this text from the storage engine.
_DISK_IS_FULL = re.compile(r"No space left on device|Disk quota exceeded", re.IGNORECASE)


@dataclass(frozen=True)
class Mongo:
    """A client bound to one event loop, and the database of one service."""

    client: AsyncIOMotorClient[dict[str, Any]]
    db: Database
    # Motor needs a thread to start a session, so sessions of successful transactions are reused.
    idle_sessions: list[Session] = field(default_factory=list)

    async def transaction(
        self, work: Callable[[Session], Awaitable[T]], *, deadline_s: float = _TRANSACTION_DEADLINE_S
    ) -> T:
        """Runs `work(session)` in one transaction with majority concerns and returns its result.

        Repeats `work` on a transient conflict until `deadline_s` (motor's own helper would go on for 120 s). Does not
        repeat when no server was found, because that has used up its own time-out. Raises what `work` raises, or the
        last PyMongoError.
        """
        end = time.monotonic() + deadline_s
        session = self.idle_sessions.pop() if self.idle_sessions else await self.client.start_session()
        try:
            result = await _transact(session, work, end)
        except BaseException:
            # After an error the server may no longer accept this session.
            await session.end_session()
            raise
        self.idle_sessions.append(session)
        return result

    async def ping(self) -> None:
        """Raises when the server does not answer."""
        await self.db.command("ping")

    async def version(self) -> str:
        return str((await self.db.command("buildInfo"))["version"])

    def close(self) -> None:
        self.client.close()


async def _transact(session: Session, work: Callable[[Session], Awaitable[T]], end: float) -> T:
    attempt = 0
    while True:
        attempt += 1
        try:
            async with session.start_transaction(
                read_concern=ReadConcern("snapshot"), write_concern=_MAJORITY, read_preference=ReadPreference.PRIMARY
            ):
                result = await work(session)
                # Committed explicitly, to tell an unknown commit result from an error of `work`.
                await _commit(session, end)
                return result
        except ServerSelectionTimeoutError:
            raise
        except PyMongoError as error:
            if not error.has_error_label("TransientTransactionError") or time.monotonic() > end:
                raise
            await asyncio.sleep(min(0.002 * 2**attempt, 0.2))


async def _commit(session: Session, end: float) -> None:
    while True:
        try:
            return await session.commit_transaction()
        except PyMongoError as error:
            if not error.has_error_label("UnknownTransactionCommitResult") or time.monotonic() > end:
                raise
            await asyncio.sleep(0.01)


def connect(url: str, database: str) -> Mongo:
    """Creates a client for the running event loop: majority concerns, dates as aware UTC, time-outs of a few
    seconds."""
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(
        url,
        tz_aware=True,
        serverSelectionTimeoutMS=_SELECTION_MS,
        connectTimeoutMS=_SELECTION_MS,
        socketTimeoutMS=10000,
        maxPoolSize=64,
        retryWrites=True,
        appname=database,
    )
    db = client.get_database(
        database,
        write_concern=WriteConcern("majority", wtimeout=8000),
        read_concern=ReadConcern("majority"),
        read_preference=ReadPreference.PRIMARY,
    )
    return Mongo(client, db)


def is_unavailable(error: BaseException) -> bool:
    """True when the server is away, changing its primary, full or denies access; False when the request was wrong."""
    if isinstance(error, DuplicateKeyError):
        return False
    if isinstance(error, _UNAVAILABLE):
        return True
    if not isinstance(error, PyMongoError):
        return False
    if error.has_error_label("TransientTransactionError") or is_undecided(error):
        return True
    return not _UNAVAILABLE_CODES.isdisjoint(_codes(error)) or _DISK_IS_FULL.search(str(error)) is not None


def _codes(error: PyMongoError) -> set[int | None]:
    """The code of the error, and those of the failed writes of a bulk."""
    codes: set[int | None] = {getattr(error, "code", None)}
    if isinstance(error, BulkWriteError):
        concerns = (error.details or {}).get("writeConcernErrors", [])
        codes |= write_error_codes(error) | {concern.get("code") for concern in concerns}
    return codes


def is_undecided(error: BaseException) -> bool:
    """True when a write or commit was sent but a majority did not acknowledge it: the data may or may not be stored."""
    if isinstance(error, WriteConcernError):
        return True
    return isinstance(error, PyMongoError) and error.has_error_label("UnknownTransactionCommitResult")


def write_error_codes(error: BulkWriteError) -> set[int | None]:
    """Codes of the failed writes of a bulk; compare with DUPLICATE_KEY."""
    return {details.get("code") for details in (error.details or {}).get("writeErrors", [])}
