"""Storage of SMS received and sent by phones: two tables in the file of the catcher, limited in number.

Ids of received SMS are 1, 2, 3…, also across restarts. Calls block the event loop, like those of ``Boite``.
"""

import asyncio
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS sms (
    id INTEGER PRIMARY KEY, at TEXT NOT NULL, operateur TEXT NOT NULL, de TEXT NOT NULL, a TEXT NOT NULL,
    texte TEXT NOT NULL, parties INTEGER NOT NULL, reference TEXT NOT NULL, UNIQUE (operateur, reference)
);
CREATE INDEX IF NOT EXISTS sms_a ON sms (a, id);
CREATE TABLE IF NOT EXISTS sms_envoyes (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, operateur TEXT NOT NULL, de TEXT NOT NULL,
    a TEXT NOT NULL, texte TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS sms_envoyes_de ON sms_envoyes (de, id);
"""
_RECUS = "SELECT id, at, operateur, de, a, texte, parties, reference FROM sms"
_ENVOYES = "SELECT id, at, operateur, de, a, texte, 0, '' FROM sms_envoyes"


@dataclass(frozen=True)
class Sms:
    """`de`, `a`: E.164 numbers, or the name of a sender. `parties`: number of SMS paid; 0 when the phone sent it
    (`envoye`). `reference`: id given by the operator; "" when the phone sent it."""

    id: int
    at: datetime
    operateur: str
    de: str
    a: str
    texte: str
    parties: int
    reference: str
    envoye: bool = False


@dataclass(frozen=True)
class Telephone:
    """A number, the number of SMS in its thread, and the last one."""

    numero: str
    nombre: int
    dernier: datetime


class PhoneStore:
    """Uses the open database of the catcher; the oldest SMS are deleted above `most`. Methods raise sqlite3.Error like
    those of Boite."""

    def __init__(self, db: sqlite3.Connection, most: int = 20_000) -> None:
        self._db, self._most = db, most
        self._arrivals: set[asyncio.Event] = set()
        db.executescript(_SCHEMA)
        self._count, newest = db.execute("SELECT count(*), coalesce(max(id), 0) FROM sms").fetchone()
        self.last_id = int(newest)

    def __len__(self) -> int:
        return int(self._count)

    def recevoir(self, at: datetime, operateur: str, de: str, a: str, texte: str, parties: int, reference: str) -> int:
        """Stores an SMS, wakes up those who wait, and returns its id. The same reference of the same operator is the
        same SMS."""
        known = self._db.execute(
            "SELECT id FROM sms WHERE operateur = ? AND reference = ?", (operateur, reference)
        ).fetchone()
        if known:
            return int(known[0])
        sms_id = self.last_id + 1
        row = (sms_id, _iso(at), operateur, de, a, texte, parties, reference)
        self._db.execute("BEGIN")
        with self._db:
            self._db.execute("INSERT INTO sms VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
            dropped = self._db.execute("DELETE FROM sms WHERE id <= ?", (sms_id - self._most,)).rowcount
        self._count, self.last_id = self._count + 1 - dropped, sms_id
        for arrival in self._arrivals:
            arrival.set()
        return sms_id

    def envoyer(self, at: datetime, operateur: str, de: str, a: str, texte: str) -> int:
        """Stores an SMS sent by a phone; call it once the operator has accepted it."""
        query = "INSERT INTO sms_envoyes (at, operateur, de, a, texte) VALUES (?, ?, ?, ?, ?)"
        sms_id = int(self._db.execute(query, (_iso(at), operateur, de, a, texte)).lastrowid or 0)
        self._db.execute("DELETE FROM sms_envoyes WHERE id <= ?", (sms_id - self._most,))
        return sms_id

    def trouver(self, a: str | None, apres: int, limite: int) -> list[Sms]:
        """SMS received with a larger id, by this number or by all, oldest first."""
        if a is None:
            rows = self._db.execute(f"{_RECUS} WHERE id > ? ORDER BY id LIMIT ?", (apres, limite))
        else:
            rows = self._db.execute(f"{_RECUS} WHERE a = ? AND id > ? ORDER BY id LIMIT ?", (a, apres, limite))
        return [_sms(row) for row in rows]

    async def attendre(self, a: str | None, apres: int, limite: int, secondes: float) -> list[Sms]:
        """Like `trouver`, but waits for a result; empty after `secondes`."""
        arrival = asyncio.Event()
        self._arrivals.add(arrival)
        try:
            async with asyncio.timeout(secondes):
                while not (found := self.trouver(a, apres, limite)):
                    arrival.clear()
                    await arrival.wait()
                return found
        except TimeoutError:
            return []
        finally:
            self._arrivals.discard(arrival)

    def dernier_pour(self, numero: str) -> Sms | None:
        row = self._db.execute(f"{_RECUS} WHERE a = ? ORDER BY id DESC LIMIT 1", (numero,)).fetchone()
        return _sms(row) if row else None

    def fil(self, numero: str, limite: int) -> list[Sms]:
        """The newest SMS of both directions, oldest first."""
        received = self._db.execute(f"{_RECUS} WHERE a = ? ORDER BY id DESC LIMIT ?", (numero, limite))
        sent = self._db.execute(f"{_ENVOYES} WHERE de = ? ORDER BY id DESC LIMIT ?", (numero, limite))
        whole = [_sms(row) for row in received] + [_sms(row, envoye=True) for row in sent]
        return sorted(whole, key=lambda sms: (sms.at, sms.envoye, sms.id))[-limite:]

    def liste(self, partie: str, debut: int, nombre: int) -> tuple[list[Telephone], int]:
        """A page of the phones whose number contains `partie`, most recently active first, and their total number."""
        phones = (
            "SELECT numero, sum(n) AS nombre, max(at) AS dernier FROM ("
            "SELECT a AS numero, count(*) AS n, max(at) AS at FROM sms GROUP BY a UNION ALL "
            "SELECT de, count(*), max(at) FROM sms_envoyes GROUP BY de"
            ") WHERE instr(numero, ?) GROUP BY numero"
        )
        (total,) = self._db.execute(f"SELECT count(*) FROM ({phones})", (partie,)).fetchone()  # noqa: S608 - the SQL text is a constant
        rows = self._db.execute(f"{phones} ORDER BY dernier DESC, numero LIMIT ? OFFSET ?", (partie, nombre, debut))
        return [Telephone(numero, int(n), datetime.fromisoformat(at)) for numero, n, at in rows], int(total)


def _iso(at: datetime) -> str:
    # Always with microseconds, because these texts are compared.
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _sms(row: Sequence[Any], *, envoye: bool = False) -> Sms:
    sms_id, at, operateur, de, a, texte, parties, reference = row
    return Sms(sms_id, datetime.fromisoformat(at), operateur, de, a, texte, parties, reference, envoye)
