"""Mongo storage of matching.

- profils {_id: profil_id, …Profil, desactive_at}
- annonces {_id: annonce_id, version, etat, appariee: version last searched for}
- correspondances {_id: "annonce:version:lot", annonce_id, version, lot, profils: [profil_id], at}: whom each annonce
  was sent to, by the best profil of each person
- illisibles {_id: "partition:offset", at}: records of the topic of profils already sent to the dead letters
"""

import asyncio
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from contracts.annonces import EtatAnnonce
from contracts.matching import Profil
from kit.database.mongo import Database
from kit.messaging.outbox import Tx
from services.matching.domain import Suivi

Document = dict[str, Any]


def _document(profil: Profil) -> Document:
    return {"_id": profil.profil_id, **profil.model_dump(exclude={"profil_id"})}


def lire(document: Mapping[str, Any]) -> Profil:
    return Profil(profil_id=document["_id"], **{name: value for name, value in document.items() if name != "_id"})


async def ajouter(tx: Tx, profils: Sequence[Profil]) -> None:
    """Raises pymongo's BulkWriteError when one of them exists already."""
    await tx.db.profils.insert_many([_document(profil) for profil in profils], session=tx.session)


async def ajouter_au_rang(tx: Tx, profil: Profil, rang: int) -> None:
    """Adds one to the `rang` profils that its account has. Raises DuplicateKeyError when another one took that rank.

    The id says nothing of the rank: after a loss of the database ranks begin again, and the index still knows the ids.
    """
    await tx.db.profils.insert_one({**_document(profil), "rang": rang}, session=tx.session)


async def remplacer(tx: Tx, profil: Profil, at: dt.datetime) -> bool:
    """Stores the next version of a profil. Returns False when another version was stored meanwhile."""
    document = _document(profil)
    if not profil.actif:
        document["desactive_at"] = at
    previous = {"_id": profil.profil_id, "version": profil.version - 1}
    return (await tx.db.profils.replace_one(previous, document, session=tx.session)).matched_count == 1


async def profil(db: Database, profil_id: str, tx: Tx | None = None) -> Profil | None:
    """Reads inside the transaction `tx` if given."""
    document = await db.profils.find_one({"_id": profil_id}, session=tx.session if tx else None)
    return lire(document) if document else None


async def profils_du_compte(db: Database, compte_id: str, tx: Tx | None = None) -> list[Profil]:
    """Oldest first. Reads inside the transaction `tx` if given."""
    cursor = db.profils.find({"compte_id": compte_id}, session=tx.session if tx else None).sort("cree_at", 1)
    return [lire(document) async for document in cursor]


async def page_des_profils(db: Database, apres: str | None, limite: int) -> list[Profil]:
    """At most `limite` profils, in the order of their ids, after the id `apres`."""
    cursor = db.profils.find({"_id": {"$gt": apres}} if apres else {}).sort("_id", 1).limit(limite)
    return [lire(document) async for document in cursor]


async def connus(tx: Tx, profil_ids: Sequence[str]) -> set[str]:
    """Those of `profil_ids` that exist."""
    cursor = tx.db.profils.find({"_id": {"$in": list(profil_ids)}}, {"_id": 1}, session=tx.session)
    return {document["_id"] async for document in cursor}


async def desactives_depuis(db: Database, since: dt.datetime) -> set[str]:
    """Ids of the profils deactivated after `since`, which the index may not know yet. Reads outside any transaction."""
    cursor = db.profils.find({"desactive_at": {"$gt": since}}, {"_id": 1})
    return {document["_id"] async for document in cursor}


async def compter_actifs(db: Database) -> int:
    """Number of active profils, from two counters: counting a million documents would take a second."""
    tous, desactives = await asyncio.gather(
        db.profils.estimated_document_count(), db.profils.count_documents({"desactive_at": {"$exists": True}})
    )
    return max(0, tous - desactives)


async def suivre(tx: Tx, annonce_id: str, premier: Suivi) -> Suivi | None:
    """Returns what is known of the annonce. When nothing is, stores `premier` and returns None. One round trip."""
    document = await tx.db.annonces.find_one_and_update(
        {"_id": annonce_id}, {"$setOnInsert": _valeurs(premier)}, upsert=True, session=tx.session
    )
    return Suivi(document["version"], EtatAnnonce(document["etat"]), document["appariee"]) if document else None


async def suivis(db: Database, annonce_ids: Sequence[str]) -> list[Document]:
    """Returns {annonce_id, version, etat, appariee} for each known annonce."""
    cursor = db.annonces.find({"_id": {"$in": list(annonce_ids)}})
    return [
        {"annonce_id": row["_id"], **{nom: row[nom] for nom in ("version", "etat", "appariee")}} async for row in cursor
    ]


async def enregistrer_suivi(tx: Tx, annonce_id: str, suivi: Suivi) -> None:
    await tx.db.annonces.update_one({"_id": annonce_id}, {"$set": _valeurs(suivi)}, session=tx.session)


def _valeurs(suivi: Suivi) -> Document:
    return {"version": suivi.version, "etat": suivi.etat.value, "appariee": suivi.appariee}


async def deja_alertes(tx: Tx, annonce_id: str) -> set[str]:
    """Ids of the accounts alerted about any version of the annonce, by one of their profils."""
    cursor = tx.db.correspondances.find({"annonce_id": annonce_id}, {"profils": 1}, session=tx.session)
    profils = [profil_id async for row in cursor for profil_id in row["profils"]]
    owners = tx.db.profils.find({"_id": {"$in": profils}}, {"compte_id": 1}, session=tx.session)
    return {row["compte_id"] async for row in owners}


async def noter_correspondances(
    tx: Tx, annonce_id: str, version: int, lots: Sequence[Sequence[str]], at: dt.datetime
) -> None:
    """Inserts one row per chunk of profil ids."""
    rows = [
        {
            "_id": f"{annonce_id}:{version}:{lot}",
            "annonce_id": annonce_id,
            "version": version,
            "lot": lot,
            "profils": list(profils),
            "at": at,
        }
        for lot, profils in enumerate(lots)
    ]
    await tx.db.correspondances.insert_many(rows, session=tx.session)


async def est_note_illisible(db: Database, partition: int, offset: int) -> bool:
    return await db.illisibles.find_one({"_id": f"{partition}:{offset}"}) is not None


async def noter_illisible(db: Database, partition: int, offset: int, at: dt.datetime) -> None:
    await db.illisibles.update_one({"_id": f"{partition}:{offset}"}, {"$setOnInsert": {"at": at}}, upsert=True)
