"""Storage of received mails: one SQLite row per mail, limited in number and bytes.

Acknowledged mails are in a file and survive a killed catcher, so that counts after a drill are right. Calls block the
event loop for a fraction of a millisecond, which is less than a thread would cost.
"""

import asyncio
import json
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deploy.standins.mailbox.mail import Mail, Message, readable, subject_and_message_id

IN_MEMORY = ":memory:"

# ``raw`` is the last column, so that queries without it do not read its pages. Addresses and ``folded_subject`` are
# casefolded, because SQLite's own functions fold only ASCII. ``cleared`` contains the id of the last mail deleted by
# clear(): ids continue after it, and ``total`` counts from it.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS mails (
    id INTEGER PRIMARY KEY, received_at TEXT NOT NULL, sender TEXT NOT NULL, recipients TEXT NOT NULL,
    subject TEXT NOT NULL, folded_subject TEXT NOT NULL, message_id TEXT NOT NULL, raw BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS recipients (
    address TEXT NOT NULL, mail_id INTEGER NOT NULL, PRIMARY KEY (address, mail_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cleared (up_to INTEGER NOT NULL);
"""
# The columns for lists and searches.
_LINES = """
CREATE TEMP VIEW lines AS SELECT id, received_at, sender, recipients, subject, message_id, folded_subject FROM mails;
"""
_BY_ID = "SELECT * FROM lines WHERE id = ?"
_AFTER = "SELECT * FROM lines WHERE id > ? AND instr(folded_subject, ?) ORDER BY id LIMIT ?"
_TO_AFTER = """
SELECT lines.* FROM recipients CROSS JOIN lines ON id = mail_id
WHERE address = ? AND mail_id > ? AND instr(folded_subject, ?) ORDER BY mail_id LIMIT ?
"""


class MailStore:
    """The kept mails, in ``path`` or in memory. The oldest are deleted above ``most_mails`` or ``most_bytes``.

    Every method raises sqlite3.Error when the file cannot be read or written; ``add`` has stored nothing then.
    """

    def __init__(
        self,
        path: Path | str = IN_MEMORY,
        most_mails: int = 20_000,
        most_bytes: int = 256 * 1024 * 1024,
        *,
        seconds: float = 5,
    ) -> None:
        """``seconds``: how long to wait for a file in use by another process."""
        self._most_mails = most_mails
        self._most_bytes = most_bytes
        self._arrivals: set[asyncio.Event] = set()
        self._db = sqlite3.connect(path, timeout=seconds, isolation_level=None)
        # Only this process may use the file: a second catcher fails with "database is locked".
        self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._db.execute("PRAGMA journal_mode = WAL")
        # Data handed to the operating system survive the process. Only a power cut may lose mails, which are tests
        # anyway.
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.executescript(_SCHEMA + _LINES)
        kept = "SELECT count(*), coalesce(sum(length(raw)), 0), coalesce(max(id), 0) FROM mails"
        self._count, self._bytes, newest = self._db.execute(kept).fetchone()
        self._cleared = int(self._db.execute("SELECT coalesce(max(up_to), 0) FROM cleared").fetchone()[0])
        self.last_id = max(int(newest), self._cleared)

    @property
    def db(self) -> sqlite3.Connection:
        """The open database, shared with the phones because nobody else can open the file."""
        return self._db

    def __len__(self) -> int:
        return int(self._count)

    @property
    def total(self) -> int:
        """Number received since the last ``clear``, including deleted ones."""
        return self.last_id - self._cleared

    def close(self) -> None:
        self._db.close()

    def add(self, received_at: datetime, sender: str, recipients: Sequence[str], raw: bytes) -> Mail:
        """Stores a message, then wakes up those who wait."""
        subject, message_id = subject_and_message_id(raw)
        to = tuple(readable(address) for address in dict.fromkeys(recipients))
        mail = Mail(self.last_id + 1, received_at, readable(sender), to, subject, message_id)
        at = received_at.astimezone(UTC).isoformat()
        row = (mail.id, at, mail.sender, json.dumps(to), subject, subject.casefold(), message_id, raw)
        self._db.execute("BEGIN")
        with self._db:
            self._db.execute("INSERT INTO mails VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
            folded = {address.casefold() for address in to}
            self._db.executemany("INSERT INTO recipients VALUES (?, ?)", [(address, mail.id) for address in folded])
            count, size = self._drop_oldest(self._count + 1, self._bytes + len(raw))
        self._count, self._bytes, self.last_id = count, size, mail.id
        for arrival in self._arrivals:
            arrival.set()
        return mail

    def get(self, mail_id: int) -> Message | None:
        # SQLite raises for numbers larger than its own integers.
        if mail_id > self.last_id:
            return None
        query = "SELECT lines.*, raw FROM lines JOIN mails USING (id) WHERE id = ?"
        row = self._db.execute(query, (mail_id,)).fetchone()
        return Message(**vars(_mail(row)), raw=row[-1]) if row else None

    def clear(self) -> None:
        """Deletes everything. Ids continue, so that callers waiting "after N" still work."""
        self._db.execute("BEGIN")
        with self._db:
            self._db.execute("DELETE FROM mails")
            self._db.execute("DELETE FROM recipients")
            self._db.execute("DELETE FROM cleared")
            self._db.execute("INSERT INTO cleared VALUES (?)", (self.last_id,))
        self._count, self._bytes, self._cleared = 0, 0, self.last_id

    def newest(self, part_of_address: str, start: int, count: int) -> tuple[list[Mail], int]:
        """Returns a page of the mails to addresses that contain the text, newest first, and their total number."""
        if not part_of_address:
            return self._mails("SELECT * FROM lines ORDER BY id DESC LIMIT ? OFFSET ?", count, start), len(self)
        # No index can find a text inside another: this scans a narrow table, and reads only one page of the mails.
        wanted = part_of_address.casefold()
        found = self._db.execute("SELECT DISTINCT mail_id FROM recipients WHERE instr(address, ?)", (wanted,))
        ids = sorted((mail_id for (mail_id,) in found), reverse=True)
        page = [line for mail_id in ids[start : start + count] for line in self._mails(_BY_ID, mail_id)]
        return page, len(ids)

    def find(self, address: str | None, subject: str | None, after: int, limit: int) -> list[Mail]:
        """Oldest first: mails to exactly this address (ignoring case), with this text in the subject and a larger
        id."""
        # An empty text matches every subject.
        part = (subject or "").casefold()
        if not address:
            return self._mails(_AFTER, after, part, limit)
        return self._mails(_TO_AFTER, address.casefold(), after, part, limit)

    async def wait(
        self, address: str | None, subject: str | None, after: int, limit: int, seconds: float
    ) -> list[Mail]:
        """Like ``find``, but waits for a result; empty after ``seconds``."""
        arrival = asyncio.Event()
        self._arrivals.add(arrival)
        try:
            async with asyncio.timeout(seconds):
                while not (found := self.find(address, subject, after, limit)):
                    # Mails that were checked need not be checked again.
                    after = max(after, self.last_id)
                    arrival.clear()
                    await arrival.wait()
                return found
        except TimeoutError:
            return []
        finally:
            self._arrivals.discard(arrival)

    def _mails(self, query: str, *wanted: Any) -> list[Mail]:
        return [_mail(row) for row in self._db.execute(query, wanted)]

    def _drop_oldest(self, count: int, size: int) -> tuple[int, int]:
        """Deletes the oldest mails above the limits, never the newest one. Takes and returns number and bytes kept."""
        while count > self._most_mails or (size > self._most_bytes and count > 1):
            oldest = "SELECT id, recipients, length(raw) FROM mails ORDER BY id LIMIT 1"
            mail_id, recipients, length = self._db.execute(oldest).fetchone()
            folded = {address.casefold() for address in json.loads(recipients)}
            self._db.executemany(
                "DELETE FROM recipients WHERE address = ? AND mail_id = ?", [(address, mail_id) for address in folded]
            )
            self._db.execute("DELETE FROM mails WHERE id = ?", (mail_id,))
            count, size = count - 1, size - length
        return count, size


def _mail(row: Sequence[Any]) -> Mail:
    mail_id, received_at, sender, recipients, subject, message_id = row[:6]
    at = datetime.fromisoformat(received_at)
    return Mail(mail_id, at, sender, tuple(json.loads(recipients)), subject, message_id)
