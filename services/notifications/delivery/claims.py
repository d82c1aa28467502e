"""Claims of rows for a hand-off, their leases, and what became of them: the writes that every message costs, several
lots at once.

A row that is claimed names its lot, the fencing token; the lease is the lot's, one row of `baux` {_id: lot, canal,
envoi_ids, fin_at} while somebody has it in hand. A claim commits with its lease, a mark with the end of the lease: no
row is claimed without a lease that somebody prolongs, or that is found to be over.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pymongo import ReplaceOne, UpdateMany, UpdateOne

from contracts.notifications import Canal
from kit.clock import Clock
from kit.mongo import Mongo, Session
from services.notifications import domain
from services.notifications.domain import Etat, Motif, Suite
from services.notifications.registre.rows import FINI, Ligne

Ecriture = UpdateMany | UpdateOne

_LOTS_ECHUS = 50


class Prises:
    def __init__(self, mongo: Mongo, clock: Clock) -> None:
        self._mongo = mongo
        self._clock = clock
        self._envois = mongo.db.envois
        self._baux = mongo.db.baux

    async def inscrire(self, canal: Canal, lots: Mapping[str, Sequence[Ligne]], session: Session) -> None:
        """The leases of rows that are claimed in the same transaction, by lot."""
        if lots:
            await self._baux.insert_many(_baux(canal, lots, self._clock.now()), session=session)

    async def prendre(self, canal: Canal, lots: Mapping[str, Sequence[Ligne]]) -> dict[str, list[Ligne]]:
        """Claims rows by lot for a hand-off, committed when this returns; leaves out those done or somebody else's."""
        toutes = [ligne for lignes in lots.values() for ligne in lignes]

        async def work(session: Session) -> int:
            now = self._clock.now()
            # Written over: a first try whose answer was lost has them already.
            baux = [ReplaceOne({"_id": bail["_id"]}, bail, upsert=True) for bail in _baux(canal, lots, now)]
            await self._baux.bulk_write(baux, ordered=False, session=session)
            prises = [_prise(lot, lignes, now) for lot, lignes in lots.items()]
            return int((await self._envois.bulk_write(prises, ordered=False, session=session)).modified_count)

        pris = await self._mongo.transaction(work)
        if pris == len(toutes) and all(ligne["tentatives"] == 0 for ligne in toutes):
            # All fresh, all ours: what is in memory is what is stored, and a round trip is saved.
            return {lot: [{**ligne, "tentatives": 1} for ligne in lignes] for lot, lignes in lots.items()}
        # Asked by the tokens: that first try claimed rows too.
        prises: dict[str, list[Ligne]] = {lot: [] for lot in lots}
        cursor = self._envois.find({"_id": {"$in": _ids(toutes)}, "lot": {"$in": list(lots)}})
        async for ligne in cursor:
            prises[ligne["lot"]].append(ligne)
        return prises

    async def prolonger(self, lots: Iterable[str]) -> bool:
        """These lots are still in hand; False when the lease of one of them is not theirs any more."""
        voulus = list(lots)
        prolonges = await self._baux.update_many(
            {"_id": {"$in": voulus}}, {"$set": {"fin_at": self._clock.now() + domain.BAIL}}
        )
        return int(prolonges.matched_count) == len(voulus)

    async def renouveler(self, lot: str) -> list[Ligne]:
        """Prolongs a claim that waited for its turn; returns the rows of it that are still the lot's."""
        bail = await self._baux.find_one_and_update(
            {"_id": lot}, {"$set": {"fin_at": self._clock.now() + domain.BAIL}}, projection={"envoi_ids": 1}
        )
        if bail is None:
            return []
        siennes = {"_id": {"$in": bail["envoi_ids"]}, "lot": lot, "etat": Etat.REMISE.value}
        return [ligne async for ligne in self._envois.find(siennes)]

    async def marquer(self, lots: Mapping[str, Mapping[str, Suite]], session: Session) -> int:
        """Writes what became of the rows of each lot, and ends its lease; rows whose lease went to somebody else
        meanwhile are left to them. Returns how many were written: none of a lot that has been marked before."""
        ecritures = _marques(lots, self._clock.now())
        if not ecritures:
            return 0
        ecrites = await self._envois.bulk_write(ecritures, ordered=False, session=session)
        await self._baux.delete_many({"_id": {"$in": list(lots)}}, session=session)
        return int(ecrites.modified_count)

    async def rendre_incertains(self, canal: Canal) -> int:
        """Ends leases that are over: whoever held them is gone, perhaps after the hand-off. Returns of how many rows
        nobody knows the outcome."""
        now = self._clock.now()
        echus = {"canal": canal.value, "fin_at": {"$lt": now}}
        # Most of the time there is none, and no transaction either.
        if await self._baux.find_one(echus, {"_id": 1}) is None:
            return 0
        return await self._mongo.transaction(lambda session: self._rendre(canal, echus, now, session))

    async def _rendre(self, canal: Canal, echus: Mapping[str, Any], now: dt.datetime, session: Session) -> int:
        cursor = self._baux.find(echus, session=session).sort("fin_at", 1).limit(_LOTS_ECHUS)
        baux = [bail async for bail in cursor]
        lots = [bail["_id"] for bail in baux]
        ids = [envoi_id for bail in baux for envoi_id in bail["envoi_ids"]]
        # Whoever prolongs one of them at this moment and this transaction exclude one another.
        await self._baux.delete_many({"_id": {"$in": lots}}, session=session)
        tenues = {"_id": {"$in": ids}, "lot": {"$in": lots}, "etat": Etat.REMISE.value}
        cursor = self._envois.find(tenues, {"tentatives": 1}, session=session)
        ecritures = [
            UpdateOne(
                {"_id": ligne["_id"]},
                ecrire(domain.apres_inconnue(canal, ligne["tentatives"], Motif.BAIL_ECHU, now), now),
            )
            async for ligne in cursor
        ]
        if ecritures:
            await self._envois.bulk_write(ecritures, ordered=False, session=session)
        return len(ecritures)


def _ids(lignes: Iterable[Ligne]) -> list[str]:
    return [ligne["_id"] for ligne in lignes]


def _baux(canal: Canal, lots: Mapping[str, Sequence[Ligne]], now: dt.datetime) -> list[dict[str, Any]]:
    fin_at = now + domain.BAIL
    return [
        {"_id": lot, "canal": canal.value, "envoi_ids": _ids(lignes), "fin_at": fin_at} for lot, lignes in lots.items()
    ]


def _prise(lot: str, lignes: Sequence[Ligne], now: dt.datetime) -> UpdateMany:
    en_pause = [etat for etat in domain.venant_de(Etat.REMISE) if etat != Etat.EN_FILE]
    return UpdateMany(
        {
            "_id": {"$in": _ids(lignes)},
            "$or": [{"etat": Etat.EN_FILE.value}, {"etat": {"$in": en_pause}, "reprise_at": {"$lte": now}}],
        },
        {
            "$set": {"etat": Etat.REMISE.value, "lot": lot},
            "$inc": {"tentatives": 1},
            "$unset": {"motif": "", "reprise_at": ""},
        },
    )


def _marques(lots: Mapping[str, Mapping[str, Suite]], now: dt.datetime) -> list[Ecriture]:
    # Of mails only the relay is known: one write for all of a relay, of fields that no index holds, which is what keeps
    # the ledger fast.
    par_relais: dict[str, list[str]] = defaultdict(list)
    ecritures: list[Ecriture] = []
    for lot, suites in lots.items():
        for id_, suite in suites.items():
            if suite.recu is not None and suite.recu.reference is None:
                par_relais[suite.recu.fournisseur].append(id_)
            else:
                ecritures.append(UpdateOne({"_id": id_, "lot": lot}, ecrire(suite, now)))
    for fournisseur, ids in par_relais.items():
        remis = {"etat": Etat.REMIS.value, "remis_at": now, "fournisseur": fournisseur}
        filtre = {"_id": {"$in": ids}, "lot": {"$in": list(lots)}}
        ecritures.append(UpdateMany(filtre, {"$set": remis, "$unset": {**FINI, "motif": ""}}))
    return ecritures


def ecrire(suite: Suite, now: dt.datetime) -> dict[str, Any]:
    """The update of one row."""
    valeurs: dict[str, Any] = {"etat": suite.etat.value}
    retirer: dict[str, str] = {"lot": ""}
    if suite.recu is not None:
        recu = {"fournisseur": suite.recu.fournisseur, "reference": suite.recu.reference, "parties": suite.recu.parties}
        valeurs |= {"remis_at": now, **recu}
    if suite.motif:
        valeurs["motif"] = str(suite.motif)
    if suite.reprise_at is not None:
        valeurs["reprise_at"] = suite.reprise_at
    else:
        retirer = dict(FINI)
    ecriture: dict[str, Any] = {"$set": valeurs, "$unset": retirer}
    return {**ecriture, "$inc": {"tentatives": -1}} if suite.rendue else ecriture
