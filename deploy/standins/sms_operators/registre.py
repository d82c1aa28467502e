"""What an operator must not forget: parts that wait for the others, messages by reference, and what it still owes.

One SQLite file, as the catcher's. Calls block the loop, for a fraction of a millisecond.
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
# Older ones are forgotten: an operator keeps references for some days, and parts for some hours.
_MOST_REFERENCES = 100_000
_PARTS_KEPT_S = 24 * 3600


@dataclass(frozen=True)
class Sortie:
    """Something owed: a receipt, or an SMS (or one of its parts) that somebody sent. `du`: seconds since 1970."""

    id: int
    genre: str
    du: float
    essais: int
    contenu: dict[str, Any]


@dataclass(frozen=True)
class Prise:
    """A message taken under a reference. `remis`: the catcher has it."""

    id: str
    empreinte: str
    remis: bool


class Registre:
    """Every method raises sqlite3.Error when the file cannot be read or written; nothing was changed then."""

    def __init__(self, path: Path | str = IN_MEMORY, *, seconds: float = 5) -> None:
        """`seconds`: how long the file may still be another process's."""
        self._db = sqlite3.connect(path, timeout=seconds, isolation_level=None)
        self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._db.execute("PRAGMA journal_mode = WAL")
        # What was handed to the system outlives a killed process.
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        self._db.close()

    def ajouter_partie(self, cle: str, numero: int, message: str, octets: bytes, at: float) -> tuple[str, list[bytes]]:
        """Keep a part; the same part again replaces it. The name of the whole, and all its parts so far, in order.

        `message` names the whole when this is its first part."""
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

    def prise(self, reference: str) -> Prise | None:
        query = "SELECT id, empreinte, remis FROM messages WHERE reference = ?"
        row = self._db.execute(query, (reference,)).fetchone()
        return Prise(str(row[0]), str(row[1]), bool(row[2])) if row else None

    def prendre(self, reference: str, message_id: str, empreinte: str) -> None:
        self._db.execute(
            "INSERT INTO messages (reference, id, empreinte) VALUES (?, ?, ?)", (reference, message_id, empreinte)
        )

    def remis(self, reference: str, recus: list[tuple[float, dict[str, Any]]]) -> None:
        """The catcher has the message: from now on its receipts are owed, in the same transaction."""
        self._db.execute("BEGIN")
        with self._db:
            self._db.execute("UPDATE messages SET remis = 1 WHERE reference = ?", (reference,))
            self._db.execute(
                "DELETE FROM messages WHERE rang <= (SELECT max(rang) FROM messages) - ?", (_MOST_REFERENCES,)
            )
            self._devoir("recu", recus)

    def devoir(self, genre: GenreDeSortie, sorties: list[tuple[float, dict[str, Any]]]) -> None:
        """Owe several things, all or none: (due at, content)."""
        self._db.execute("BEGIN")
        with self._db:
            self._devoir(genre, sorties)

    def dues(self, now: float, limite: int, *, sans_recus: bool = False, recentes: bool = False) -> list[Sortie]:
        """What is due, oldest first; `recentes`: newest first; `sans_recus`: no receipts."""
        order = "DESC" if recentes else "ASC"
        kind = "AND genre <> 'recu'" if sans_recus else ""
        query = f"SELECT id, genre, du, essais, contenu FROM sorties WHERE du <= ? {kind} ORDER BY id {order} LIMIT ?"  # noqa: S608 - two words of ours
        return [
            Sortie(int(sortie_id), str(genre), float(du), int(essais), json.loads(contenu))
            for sortie_id, genre, du, essais, contenu in self._db.execute(query, (now, limite))
        ]

    def prochaine(self, now: float) -> float | None:
        """When the next thing becomes due after `now`."""
        (du,) = self._db.execute("SELECT min(du) FROM sorties WHERE du > ?", (now,)).fetchone()
        return None if du is None else float(du)

    def rendue(self, sortie_id: int) -> None:
        self._db.execute("DELETE FROM sorties WHERE id = ?", (sortie_id,))

    def remettre_a(self, sortie_id: int, du: float) -> None:
        """It was not taken: once more at `du`."""
        self._db.execute("UPDATE sorties SET du = ?, essais = essais + 1 WHERE id = ?", (du, sortie_id))

    def redevoir(self, now: float) -> None:
        """What was tried before is due now: whoever refused it may have come back."""
        self._db.execute("UPDATE sorties SET du = ? WHERE essais > 0 AND du > ?", (now, now))

    def compte(self) -> dict[str, int]:
        """How many receipts and inbound SMS (or parts) are still owed."""
        found = dict(self._db.execute("SELECT genre, count(*) FROM sorties GROUP BY genre").fetchall())
        return {"recus": int(found.get("recu", 0)), "entrants": int(found.get("entrant", 0))}

    def _devoir(self, genre: GenreDeSortie, sorties: list[tuple[float, dict[str, Any]]]) -> None:
        rows = [(genre, du, json.dumps(contenu, ensure_ascii=False)) for du, contenu in sorties]
        self._db.executemany("INSERT INTO sorties (genre, du, contenu) VALUES (?, ?, ?)", rows)
