"""Who can be written to, and what they agreed to: addresses encrypted, consents with their proof, erasure for ever.

Rows of `contacts`: {_id: compte_id, email?: {cle, contenu}, empreinte?, consentements, version, purge_at?, efface?}.
An erased row stays, without anything personal, so that a late message does not bring its person back.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pymongo import UpdateOne
from pymongo.errors import BulkWriteError

from contracts.comptes import Consentement
from contracts.notifications import Canal
from kit.logging import get_logger
from kit.mongo import Database, Session
from services.notifications.chiffrement import Coffre, Illisible

log = get_logger(__name__)

_SANS_COMPTE = dt.timedelta(hours=24)
_DOUBLON = 11000


@dataclass(frozen=True)
class Contact:
    """`email` None: consents are known, the address is not (yet), or its row was altered."""

    compte_id: str
    email: str | None
    accords: frozenset[Canal]


@dataclass(frozen=True)
class Fiche:
    """What the gateway hands over: `version` is that of the account; an older one changes nothing.

    `email` None: only the consents changed; the address that is known stays.
    """

    compte_id: str
    email: str | None
    consentements: Sequence[Consentement]
    version: int


class Contacts:
    def __init__(self, db: Database, coffre: Coffre) -> None:
        self._contacts = db.contacts
        self._coffre = coffre

    async def create_indexes(self) -> None:
        await self._contacts.create_index([("purge_at", 1)], expireAfterSeconds=0)

    async def enregistrer(self, fiches: Sequence[Fiche]) -> None:
        """Stores what is not older than what is known. An erased account stays erased."""
        await self._sans_regresser([self._ecriture(fiche) for fiche in fiches])

    def _ecriture(self, fiche: Fiche) -> UpdateOne:
        valeurs: dict[str, Any] = {"consentements": _en_base(fiche.consentements), "version": fiche.version}
        if fiche.email is not None:
            valeurs["email"] = self._coffre.fermer(fiche.email, fiche.compte_id)
            valeurs["empreinte"] = self._coffre.empreinte(fiche.email)
        return UpdateOne(
            _pas_plus_recent(fiche.compte_id, fiche.version), {"$set": valeurs, "$unset": {"purge_at": ""}}, upsert=True
        )

    async def _sans_regresser(self, ecritures: list[UpdateOne]) -> None:
        try:
            await self._contacts.bulk_write(ecritures, ordered=False)
        except BulkWriteError as error:
            # The filter leaves newer and erased rows out, and the upsert then meets their _id: nothing to store.
            if any(e.get("code") != _DOUBLON for e in (error.details or {}).get("writeErrors", [])):
                raise

    async def noter_code(self, compte_id: str, email: str, now: dt.datetime) -> None:
        """Keeps the address of somebody who asked for a code and has no account yet, for 24 hours."""
        await self._contacts.update_one(
            {"_id": compte_id},
            {
                "$setOnInsert": {
                    "email": self._coffre.fermer(email, compte_id),
                    "empreinte": self._coffre.empreinte(email),
                    "consentements": [],
                    "version": 0,
                    "purge_at": now + _SANS_COMPTE,
                }
            },
            upsert=True,
        )

    async def consentir(
        self, compte_id: str, consentements: Sequence[Consentement], version: int, session: Session
    ) -> bool:
        """The account exists: its consents are these. False when that is older than what is known."""
        connu = await self._contacts.find_one({"_id": compte_id}, {"version": 1, "efface": 1}, session=session)
        if connu is not None and (connu.get("efface") or connu["version"] > version):
            return False
        await self._contacts.update_one(
            {"_id": compte_id},
            {"$set": {"consentements": _en_base(consentements), "version": version}, "$unset": {"purge_at": ""}},
            upsert=True,
            session=session,
        )
        return True

    async def effacer(self, compte_id: str, version: int, session: Session) -> None:
        await self._contacts.replace_one(
            {"_id": compte_id}, {"efface": True, "version": version}, upsert=True, session=session
        )

    async def trouver(self, comptes: Iterable[str]) -> Mapping[str, Contact]:
        """By compte_id; erased and unknown accounts are missing."""
        cherches = list(set(comptes))
        if not cherches:
            return {}
        cursor = self._contacts.find(
            {"_id": {"$in": cherches}, "efface": {"$ne": True}},
            {"email": 1, "consentements.canal": 1, "consentements.accorde": 1},
        )
        return {ligne["_id"]: self._contact(ligne) async for ligne in cursor}

    def _contact(self, ligne: Mapping[str, Any]) -> Contact:
        email = None
        if "email" in ligne:
            try:
                email = self._coffre.ouvrir(ligne["email"], ligne["_id"])
            except Illisible:
                log.error("contact_unreadable", compte_id=ligne["_id"])
        # The last word on a channel counts.
        dernier = {c["canal"]: c["accorde"] for c in ligne.get("consentements", [])}
        return Contact(ligne["_id"], email, frozenset(canal for canal in Canal if dernier.get(canal.value)))


def _pas_plus_recent(compte_id: str, version: int) -> dict[str, Any]:
    return {"_id": compte_id, "version": {"$lte": version}, "efface": {"$ne": True}}


def _en_base(consentements: Sequence[Consentement]) -> list[dict[str, Any]]:
    return [c.model_dump(mode="python") | {"canal": c.canal.value} for c in sorted(consentements, key=lambda c: c.at)]
