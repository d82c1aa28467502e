"""What became of the rows of a lot, as updates of the ledger and as events. Pure."""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pymongo import UpdateMany, UpdateOne

from contracts.envois import Etat
from contracts.notifications import Canal, EnvoisRemis
from services.notifications.domain import Suite
from services.notifications.registre.rows import FINI, Ligne, est_alerte


@dataclass(frozen=True)
class Mark:
    """The rows of a claimed lot, and what became of each, by id."""

    lot: str
    lignes: Sequence[Ligne]
    suites: Mapping[str, Suite]

    @property
    def remises(self) -> list[Suite]:
        """Of the rows that a provider accepted."""
        return [suite for suite in self.suites.values() if suite.recu is not None]


def updates(marks: Sequence[Mark], now: dt.datetime) -> list[UpdateMany | UpdateOne]:
    """The updates of all rows. A row that is no longer claimed by its lot is not matched."""
    # Of a mail nothing is stored but its relay. So all mails of a relay share one update, whose fields are in no index:
    # this is what keeps the ledger fast.
    par_relais: dict[str, list[str]] = defaultdict(list)
    updates: list[UpdateMany | UpdateOne] = []
    for mark in marks:
        for id_, suite in mark.suites.items():
            if suite.recu is not None and suite.recu.reference is None:
                par_relais[suite.recu.fournisseur].append(id_)
            else:
                updates.append(UpdateOne({"_id": id_, "lot": mark.lot}, update(suite, now)))
    lots = [mark.lot for mark in marks]
    for fournisseur, ids in par_relais.items():
        remis = {"etat": Etat.REMIS.value, "remis_at": now, "fournisseur": fournisseur}
        updates.append(
            UpdateMany({"_id": {"$in": ids}, "lot": {"$in": lots}}, {"$set": remis, "$unset": {**FINI, "motif": ""}})
        )
    return updates


def update(suite: Suite, now: dt.datetime) -> dict[str, Any]:
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


def events(canal: Canal, marks: Sequence[Mark], now: dt.datetime) -> list[tuple[EnvoisRemis, Mapping[str, str] | None]]:
    """One event per annonce whose alerts were handed over, and the trace that it continues.

    `lot_id` of an event is the first lot with an alert of its annonce: no other event of this annonce has it.
    """
    par_annonce: dict[str, list[str]] = defaultdict(list)
    lots: dict[str, str] = {}
    causes: dict[str, Mapping[str, str]] = {}
    for mark in marks:
        for ligne in mark.lignes:
            if mark.suites[ligne["_id"]].etat is Etat.REMIS and est_alerte(ligne):
                annonce_id = ligne["annonce_id"]
                lots.setdefault(annonce_id, mark.lot)
                par_annonce[annonce_id].append(ligne["profil_id"])
                if "cause" in ligne:
                    causes.setdefault(annonce_id, ligne["cause"])
    return [
        (
            EnvoisRemis(lot_id=lots[annonce_id], annonce_id=annonce_id, canal=canal, profils=profils, remis_at=now),
            causes.get(annonce_id),
        )
        for annonce_id, profils in par_annonce.items()
    ]
