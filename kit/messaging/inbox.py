"""Deduplicates events: the effects of a handler and the row (consumer, event id) commit in one transaction, so an event
takes effect once however often it is delivered."""

import datetime as dt
from collections.abc import Sequence

from pymongo.errors import BulkWriteError

from kit.database.indexes import Index
from kit.database.mongo import DUPLICATE_KEY, Database, DuplicateKeyError, Session, write_error_codes

# Longer than the retention of any topic (30 days) plus the age at which a dead letter may still be replayed (14 days).
_KEPT_S = 45 * 24 * 3600

INDEXES = [Index("inbox", [("at", 1)], expires_s=_KEPT_S)]


class AlreadyProcessed(Exception):
    """At least one event of this transaction was already processed."""


async def mark(db: Database, consumer: str, event_ids: Sequence[str], at: dt.datetime, session: Session) -> None:
    """Inserts the ids in the transaction of `session`. Raises AlreadyProcessed when one of them is there already."""
    rows = [{"_id": _row_id(consumer, id_), "at": at} for id_ in event_ids]
    try:
        # Most transactions hold one event, and a bulk insert of one row is slower.
        await (
            db.inbox.insert_one(rows[0], session=session)
            if len(rows) == 1
            else db.inbox.insert_many(rows, session=session)
        )
    except DuplicateKeyError as error:
        raise AlreadyProcessed from error
    except BulkWriteError as error:
        if DUPLICATE_KEY in write_error_codes(error):
            raise AlreadyProcessed from error
        raise


def _row_id(consumer: str, event_id: str) -> str:
    return f"{consumer}:{event_id}"
