"""Who is expected where: what the private calendar shows, and what an earlier file for a calendar said.

`engagements` {_id: reponse_id, compte_id, annonce_id, etat, version, deposee_at, dit?}: ids and states only. `dit`
{quand, sequence, annule}: the days of the last file that was sent, so that it can be withdrawn under the same names.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from contracts.annonces import Reponse
from kit.database.mongo import Database, Session

_GARDES = 200
"""Engagements that a calendar shows: the last ones."""


class EtatEngagement(StrEnum):
    TENU = "tenu"
    FINI = "fini"
    """Nobody is expected any more."""


@dataclass(frozen=True)
class Dit:
    """What a calendar was told. `quand`: as in calendar_file.Sujet."""

    quand: Mapping[str, Any]
    sequence: int
    annule: bool


def sequence_suivante(dit: Dit | None, sequence: int) -> int:
    """The SEQUENCE of a file that is about to be sent: never below what a calendar has, and above a withdrawal."""
    if dit is None:
        return sequence
    return max(sequence, dit.sequence + dit.annule)


class Engagements:
    def __init__(self, db: Database) -> None:
        self._engagements = db.engagements

    async def noter(self, reponse: Reponse, etat: EtatEngagement, session: Session) -> None:
        """What became of a reponse; an older version changes nothing."""
        connu = await self._engagements.find_one({"_id": reponse.reponse_id}, {"version": 1}, session=session)
        if connu is not None and connu["version"] >= reponse.version:
            return
        await self._engagements.update_one(
            {"_id": reponse.reponse_id},
            {
                "$set": {
                    "compte_id": reponse.compte_id,
                    "annonce_id": reponse.annonce_id,
                    "etat": etat.value,
                    "version": reponse.version,
                    "deposee_at": reponse.deposee_at,
                }
            },
            upsert=True,
            session=session,
        )

    async def du_compte(self, compte_id: str) -> list[str]:
        """The reponses for which somebody is expected, the last ones."""
        tenus = {"compte_id": compte_id, "etat": EtatEngagement.TENU.value}
        cursor = self._engagements.find(tenus, {"_id": 1}).sort("deposee_at", -1).limit(_GARDES)
        return [ligne["_id"] async for ligne in cursor]

    async def dit(self, reponse_id: str) -> Dit | None:
        """What a calendar was last told of this engagement."""
        ligne = await self._engagements.find_one({"_id": reponse_id, "dit": {"$exists": True}}, {"dit": 1})
        return Dit(**ligne["dit"]) if ligne else None

    async def noter_dit(self, reponse_id: str, dit: Dit) -> None:
        """Before the file is handed over: a withdrawal of what never arrived harms nobody."""
        await self._engagements.update_one({"_id": reponse_id}, {"$set": {"dit": vars(dit)}})

    async def effacer(self, compte_id: str, session: Session) -> None:
        await self._engagements.delete_many({"compte_id": compte_id}, session=session)
