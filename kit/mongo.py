"""The one module that imports motor: connections, transactions, and which errors mean that Mongo is away.

Motor gets critical fixes until May 2027; its successor is pymongo.AsyncMongoClient. Only this file changes on that day.
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
"""The server's code for a row that is there already."""

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

# Somebody waits for a page: this and one more selection of a server are the most that an outage makes a write last.
# Consumers, whom nobody waits for, go on by themselves (kit.processor).
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
# With these a server says that it cannot serve now, whatever is asked of it.
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
# Without a code of its own: what the storage engine says of a full disk (ENOSPC) or of a quota (EDQUOT).
_DISK_IS_FULL = re.compile(r"No space left on device|Disk quota exceeded", re.IGNORECASE)


@dataclass(frozen=True)
class Mongo:
    """One client on one event loop, and the database of one service."""

    client: AsyncIOMotorClient[dict[str, Any]]
    db: Database
    # Starting a session costs motor a thread; one that served a transaction well serves the next.
    idle_sessions: list[Session] = field(default_factory=list)

    async def transaction(
        self, work: Callable[[Session], Awaitable[T]], *, deadline_s: float = _TRANSACTION_DEADLINE_S
    ) -> T:
        """Runs `work(session)` in one transaction (majority) and returns its result.

        `work` runs again on a transient conflict, until `deadline_s` (motor's own helper would go on for 120 s); not
        when no server was found, which has taken its time already. Raises what `work` raises, or the last PyMongoError.
        """
        end = time.monotonic() + deadline_s
        session = self.idle_sessions.pop() if self.idle_sessions else await self.client.start_session()
        try:
            result = await _transact(session, work, end)
        except BaseException:
            # A session that saw an error may be of no more use to the server.
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
                # Committed here, so that an unknown outcome is told apart from an error of `work`.
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
    """A client for the running event loop: majority everywhere, dates are aware UTC, calls end within seconds."""
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
    """True when `error` says that the server is away, changing, full or closed to us, not that a request was wrong."""
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
    """Those of the error, and of the writes that failed in a bulk."""
    codes: set[int | None] = {getattr(error, "code", None)}
    if isinstance(error, BulkWriteError):
        concerns = (error.details or {}).get("writeConcernErrors", [])
        codes |= write_error_codes(error) | {concern.get("code") for concern in concerns}
    return codes


def is_undecided(error: BaseException) -> bool:
    """True when a write or a commit was sent and nothing says that a majority has it: what it held may be stored."""
    if isinstance(error, WriteConcernError):
        return True
    return isinstance(error, PyMongoError) and error.has_error_label("UnknownTransactionCommitResult")


def write_error_codes(error: BulkWriteError) -> set[int | None]:
    """Of the writes of a bulk that failed; DUPLICATE_KEY is one of them."""
    return {details.get("code") for details in (error.details or {}).get("writeErrors", [])}
