"""Claims of rows for a hand-off, and what became of them: the writes that every message costs, several lots at once."""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from pymongo import UpdateMany, UpdateOne

from kit.clock import Clock
from kit.mongo import Collection, Session
from services.notifications import domain
from services.notifications.domain import Etat, Genre, Suite

Ligne = dict[str, Any]
Ecriture = UpdateMany | UpdateOne

FINI = {"reprise_at": "", "lot": "", "secret": ""}
"""What a row that is done has no more."""


def est_alerte(ligne: Ligne) -> bool:
    return bool(ligne["genre"] == Genre.ALERTE)


async def prendre(envois: Collection, lots: Mapping[str, Sequence[Ligne]], clock: Clock) -> dict[str, list[Ligne]]:
    """Claims rows by lot, committed when this returns; leaves out those done or somebody else's."""
    now = clock.now()
    pris = await envois.bulk_write([_prise(lot, lignes, now) for lot, lignes in lots.items()], ordered=False)
    toutes = [ligne for lignes in lots.values() for ligne in lignes]
    if pris.modified_count == len(toutes) and all(ligne["tentatives"] == 0 for ligne in toutes):
        # All fresh, all ours: what is in memory is what is stored, and a round trip is saved.
        return {lot: [{**ligne, "tentatives": 1} for ligne in lignes] for lot, lignes in lots.items()}
    # Asked by the tokens: a first try whose answer was lost claimed them too.
    prises: dict[str, list[Ligne]] = {lot: [] for lot in lots}
    cursor = envois.find({"_id": {"$in": [ligne["_id"] for ligne in toutes]}, "lot": {"$in": list(lots)}})
    async for ligne in cursor:
        prises[ligne["lot"]].append(ligne)
    return prises


async def marquer(
    envois: Collection, lots: Mapping[str, Mapping[str, Suite]], now: dt.datetime, session: Session
) -> int:
    """Writes what became of the rows of each lot; rows whose lease went to somebody else are left to them.

    Returns how many were written.
    """
    ecritures = _marques(lots, now)
    if not ecritures:
        return 0
    return int((await envois.bulk_write(ecritures, ordered=False, session=session)).modified_count)


def _prise(lot: str, lignes: Sequence[Ligne], now: dt.datetime) -> UpdateMany:
    en_pause = [etat for etat in domain.venant_de(Etat.REMISE) if etat != Etat.EN_FILE]
    return UpdateMany(
        {
            "_id": {"$in": [ligne["_id"] for ligne in lignes]},
            "$or": [{"etat": Etat.EN_FILE.value}, {"etat": {"$in": en_pause}, "reprise_at": {"$lte": now}}],
        },
        {
            "$set": {"etat": Etat.REMISE.value, "lot": lot, "reprise_at": now + domain.BAIL},
            "$inc": {"tentatives": 1},
            "$unset": {"motif": ""},
        },
    )


def _marques(lots: Mapping[str, Mapping[str, Suite]], now: dt.datetime) -> list[Ecriture]:
    # Of mails only the relay is known: one write for all of a relay, which is what keeps the ledger fast.
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
