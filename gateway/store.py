"""The collection `comptes`: an account is found by the keyed hash of its address; the address itself is nowhere."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from contracts.comptes import Consentement, EtatCompte
from gateway.domain import CompteConnu
from kit.database.mongo import Database, Session


def _to_row(compte: CompteConnu) -> dict[str, Any]:
    row: dict[str, Any] = {
        "_id": compte.compte_id,
        "version": compte.version,
        "etat": compte.etat.value,
        "roles": sorted(compte.roles),
        "consentements": [{**c.model_dump(), "canal": c.canal.value} for c in compte.consentements],
        "cree_at": compte.cree_at,
        "verifie_at": compte.verifie_at,
        "contact_version": compte.contact_version,
    }
    if compte.empreinte is not None:
        # Absent, not null, once erased: the unique index leaves such rows out.
        row["empreinte"] = compte.empreinte
    return row


def from_row(row: Mapping[str, Any]) -> CompteConnu:
    return CompteConnu(
        compte_id=row["_id"],
        empreinte=row.get("empreinte"),
        cree_at=row["cree_at"],
        version=row["version"],
        etat=EtatCompte(row["etat"]),
        roles=frozenset(row["roles"]),
        consentements=tuple(Consentement.model_validate(c) for c in row["consentements"]),
        verifie_at=row["verifie_at"],
        contact_version=row["contact_version"],
    )


class Comptes:
    def __init__(self, db: Database) -> None:
        self.rows = db.comptes

    async def by_id(self, compte_id: str, session: Session | None = None) -> CompteConnu | None:
        row = await self.rows.find_one({"_id": compte_id}, session=session)
        return from_row(row) if row else None

    async def by_empreinte(self, empreinte: str, session: Session | None = None) -> CompteConnu | None:
        row = await self.rows.find_one({"empreinte": empreinte}, session=session)
        return from_row(row) if row else None

    async def insert(self, compte: CompteConnu, session: Session) -> None:
        """Raises DuplicateKeyError when another request has just made the account of this address."""
        await self.rows.insert_one(_to_row(compte), session=session)

    async def replace(self, compte: CompteConnu, session: Session) -> None:
        await self.rows.replace_one({"_id": compte.compte_id}, _to_row(compte), session=session)

    async def verified(self, compte_id: str, at: dt.datetime) -> None:
        await self.rows.update_one({"_id": compte_id}, {"$set": {"verifie_at": at}})

    async def contact_told(self, compte_id: str, version: int) -> None:
        """Notifications knows the contact as of `version`; an older answer that comes late changes nothing."""
        await self.rows.update_one({"_id": compte_id}, {"$max": {"contact_version": version}})
