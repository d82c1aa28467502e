"""What an operator must not forget: parts of incomplete messages, messages by reference, and pending deliveries.

One SQLite file, like that of the catcher. Calls block the event loop for a fraction of a millisecond.
"""

import json
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

IN_MEMORY = ":memory:"

GenreDeSortie = Literal["recu", "entrant"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS parties (
    cle TEXT NOT NULL, numero INTEGER NOT NULL, message TEXT NOT NULL, octets BLOB NOT NULL, at REAL NOT NULL,
    PRIMARY KEY (cle, numero)
);
CREATE TABLE IF NOT EXISTS messages (
    rang INTEGER PRIMARY KEY, reference TEXT NOT NULL UNIQUE, id TEXT NOT NULL, empreinte TEXT NOT NULL,
    remis INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS sorties (
    id INTEGER PRIMARY KEY AUTOINCREMENT, genre TEXT NOT NULL, du REAL NOT NULL, essais INTEGER NOT NULL DEFAULT 0,
    contenu TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS sorties_dues ON sorties (du);
"""
# Older entries are deleted, as real operators do: references after some days, parts after some hours.
_MOST_REFERENCES = 100_000
_PARTS_KEPT_S = 24 * 3600


@dataclass(frozen=True)
class PendingDelivery:
    """A pending delivery: a receipt, or an SMS (or part of one) that somebody sent. `du`: due time, seconds since
    1970."""

    id: int
    genre: str
    du: float
    essais: int
    contenu: dict[str, Any]


@dataclass(frozen=True)
class AcceptedMessage:
    """A message accepted under a reference. `remis`: the catcher has it."""

    id: str
    empreinte: str
    remis: bool


class OperatorStore:
    """Every method raises sqlite3.Error when the file cannot be read or written; nothing is changed then."""

    def __init__(self, path: Path | str = IN_MEMORY, *, seconds: float = 5) -> None:
        """``seconds``: how long to wait for a file in use by another process."""
        self._db = sqlite3.connect(path, timeout=seconds, isolation_level=None)
        self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._db.execute("PRAGMA journal_mode = WAL")
        # Data handed to the operating system survive a killed process.
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        self._db.close()

    def ajouter_partie(self, cle: str, numero: int, message: str, octets: bytes, at: float) -> tuple[str, list[bytes]]:
        """Stores a part; the same part again replaces it. Returns the id of the message and its parts so far, in order.
        `message` is used as the id when this is the first part."""
        self._db.execute("BEGIN")
        with self._db:
            self._db.execute("DELETE FROM parties WHERE at < ?", (at - _PARTS_KEPT_S,))
            known = self._db.execute("SELECT message FROM parties WHERE cle = ? LIMIT 1", (cle,)).fetchone()
            whole = str(known[0]) if known else message
            self._db.execute("REPLACE INTO parties VALUES (?, ?, ?, ?, ?)", (cle, numero, whole, octets, at))
        rows = self._db.execute("SELECT octets FROM parties WHERE cle = ? ORDER BY numero", (cle,))
        return whole, [bytes(octets) for (octets,) in rows]

    def oublier_parties(self, cle: str) -> None:
        self._db.execute("DELETE FROM parties WHERE cle = ?", (cle,))

    def prise(self, reference: str) -> AcceptedMessage | None:
        query = "SELECT id, empreinte, remis FROM messages WHERE reference = ?"
        row = self._db.execute(query, (reference,)).fetchone()
        return AcceptedMessage(str(row[0]), str(row[1]), bool(row[2])) if row else None

    def prendre(self, reference: str, message_id: str, empreinte: str) -> None:
        self._db.execute(
            "INSERT INTO messages (reference, id, empreinte) VALUES (?, ?, ?)", (reference, message_id, empreinte)
        )

    def remis(self, reference: str, recus: list[tuple[float, dict[str, Any]]]) -> None:
        """Marks the message as handed over, and adds its receipts to the pending deliveries in the same transaction."""
        self._db.execute("BEGIN")
        with self._db:
            self._db.execute("UPDATE messages SET remis = 1 WHERE reference = ?", (reference,))
            self._db.execute(
                "DELETE FROM messages WHERE rang <= (SELECT max(rang) FROM messages) - ?", (_MOST_REFERENCES,)
            )
            self._devoir("recu", recus)

    def devoir(self, genre: GenreDeSortie, sorties: list[tuple[float, dict[str, Any]]]) -> None:
        """Adds several pending deliveries (due time, content), all or none."""
        self._db.execute("BEGIN")
        with self._db:
            self._devoir(genre, sorties)

    def dues(
        self, now: float, limite: int, *, sans_recus: bool = False, recentes: bool = False
    ) -> list[PendingDelivery]:
        """Deliveries that are due, oldest first (`recentes`: newest first; `sans_recus`: without receipts)."""
        order = "DESC" if recentes else "ASC"
        kind = "AND genre <> 'recu'" if sans_recus else ""
        query = f"SELECT id, genre, du, essais, contenu FROM sorties WHERE du <= ? {kind} ORDER BY id {order} LIMIT ?"  # noqa: S608 - the variable parts are constants
        return [
            PendingDelivery(int(sortie_id), str(genre), float(du), int(essais), json.loads(contenu))
            for sortie_id, genre, du, essais, contenu in self._db.execute(query, (now, limite))
        ]

    def prochaine(self, now: float) -> float | None:
        """When the next delivery becomes due after `now`."""
        (du,) = self._db.execute("SELECT min(du) FROM sorties WHERE du > ?", (now,)).fetchone()
        return None if du is None else float(du)

    def rendue(self, sortie_id: int) -> None:
        self._db.execute("DELETE FROM sorties WHERE id = ?", (sortie_id,))

    def remettre_a(self, sortie_id: int, du: float) -> None:
        """It was not accepted: makes it due again at `du`."""
        self._db.execute("UPDATE sorties SET du = ?, essais = essais + 1 WHERE id = ?", (du, sortie_id))

    def redevoir(self, now: float) -> None:
        """Makes deliveries that failed before due now, because the other side may be back."""
        self._db.execute("UPDATE sorties SET du = ? WHERE essais > 0 AND du > ?", (now, now))

    def compte(self) -> dict[str, int]:
        """Numbers of receipts and inbound SMS (or parts) still to deliver."""
        found = dict(self._db.execute("SELECT genre, count(*) FROM sorties GROUP BY genre").fetchall())
        return {"recus": int(found.get("recu", 0)), "entrants": int(found.get("entrant", 0))}

    def _devoir(self, genre: GenreDeSortie, sorties: list[tuple[float, dict[str, Any]]]) -> None:
        rows = [(genre, du, json.dumps(contenu, ensure_ascii=False)) for du, contenu in sorties]
        self._db.executemany("INSERT INTO sorties (genre, du, contenu) VALUES (?, ?, ?)", rows)
