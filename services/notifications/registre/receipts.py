"""Stores what providers report about a message, and applies it once. States only go forwards.

`retours` {_id, fournisseur, verdict, motif, at, recu_at, reference?, envoi_id?, applique}; a repeated report has the
same _id. A report may arrive before we have stored the provider's reference of its message: it waits in this collection
until the message is found.
"""

import asyncio
import datetime as dt
from collections.abc import Sequence
from typing import Any

from pymongo.errors import BulkWriteError

from contracts.envois import Etat
from contracts.notifications import Canal
from kit.clock import Clock
from kit.database.mongo import DUPLICATE_KEY, Database, write_error_codes
from kit.ids import stable_id
from kit.messaging.outbox import Outbox, Tx
from kit.waiting import every
from services.notifications import domain
from services.notifications.canaux.feedback import Retour, Verdict
from services.notifications.contacts.store import Contacts
from services.notifications.metrics import RETOURS
from services.notifications.registre.rows import Ligne
from services.notifications.registre.store import Registre

_ATTENTE_MAX = dt.timedelta(days=7)
_LOT = 200
_TOUTES_LES_S = 1.0

_ETATS = {
    Verdict.LIVRE: Etat.LIVRE,
    Verdict.NON_LIVRE: Etat.NON_LIVRE,
    Verdict.REFUSE: Etat.ECHEC_PERMANENT,
    # A complaint proves that the message arrived.
    Verdict.PLAINTE: Etat.LIVRE,
}


class ProviderReports:
    def __init__(self, db: Database, registre: Registre, contacts: Contacts, outbox: Outbox, clock: Clock) -> None:
        self._db = db
        self._registre = registre
        self._contacts = contacts
        self._outbox = outbox
        self._clock = clock
        self._vu: tuple[dt.datetime, str] | None = None

    async def recevoir(self, retours: Sequence[Retour]) -> None:
        """Returns once the reports are stored, and applied where their messages are known. Repeated reports change
        nothing."""
        lignes = {_id(retour): retour for retour in retours}
        if not lignes:
            return
        now = self._clock.now()
        try:
            await self._db.retours.insert_many([_ligne(id_, r, now) for id_, r in lignes.items()], ordered=False)
        except BulkWriteError as error:
            if write_error_codes(error) - {DUPLICATE_KEY}:
                raise
        for id_, retour in lignes.items():
            RETOURS.labels(retour.fournisseur, retour.verdict.value).inc()
            await self._appliquer(id_, retour)

    async def reprendre(self) -> int:
        """Applies waiting reports to messages found since. Returns the number applied.

        Each call continues after the previous one instead of starting with the oldest, because some reports never find
        their message (its process was killed before it stored the reference) and would block the others.
        """
        depuis = self._clock.now() - _ATTENTE_MAX
        filtre: dict[str, Any] = {"applique": False, "recu_at": {"$gt": depuis}}
        if self._vu is not None:
            at, id_ = self._vu
            filtre |= {"$or": [{"recu_at": {"$gt": at}}, {"recu_at": at, "_id": {"$gt": id_}}]}
        cursor = self._db.retours.find(filtre).sort([("recu_at", 1), ("_id", 1)]).limit(_LOT)
        lignes = [ligne async for ligne in cursor]
        appliques = [await self._appliquer(ligne["_id"], _retour(ligne)) for ligne in lignes]
        # After the newest one, start again with the oldest.
        self._vu = (lignes[-1]["recu_at"], lignes[-1]["_id"]) if len(lignes) == _LOT else None
        return sum(appliques)

    async def run(self, stopping: asyncio.Event) -> None:
        """Runs until `stopping` is set; waits while a server is away."""

        async def look() -> bool:
            await self.reprendre()
            return False

        await every(_TOUTES_LES_S, look, stopping, away="receipts_wait")

    async def _appliquer(self, id_: str, retour: Retour) -> bool:
        """Returns False while the message is unknown or still being handed over."""

        async def work(tx: Tx) -> bool:
            envoi = await self._registre.de_retour(retour, tx.session)
            if envoi is None:
                return False
            etat = _ETATS[retour.verdict]
            if envoi["etat"] == Etat.REMISE.value:
                # Its process will mark the message as handed over; the report is applied after that.
                return False
            if envoi["etat"] in domain.venant_de(etat):
                await self._registre.conclure(envoi["_id"], etat, retour.motif, tx.session)
            if retour.verdict is Verdict.PLAINTE:
                await self._ne_plus_ecrire(envoi, retour, tx)
            await self._db.retours.update_one({"_id": id_}, {"$set": {"applique": True}}, session=tx.session)
            return True

        return await self._outbox.run(work)

    async def _ne_plus_ecrire(self, envoi: Ligne, retour: Retour, tx: Tx) -> None:
        """A complaint to the mailbox provider counts as an unsubscription."""
        profil_id = envoi.get("profil_id")
        if profil_id is None:
            await self._contacts.opposer(envoi["compte_id"], Canal(envoi["canal"]), self._clock.now(), tx.session)
            return
        await self._registre.desabonner(profil_id, envoi["_id"], retour.at, tx)


def _id(retour: Retour) -> str:
    message = retour.reference or retour.envoi_id or ""
    return stable_id("retour", retour.fournisseur, message, retour.verdict, retour.motif)


def _ligne(id_: str, retour: Retour, now: dt.datetime) -> dict[str, Any]:
    return {"_id": id_, **vars(retour), "verdict": retour.verdict.value, "recu_at": now, "applique": False}


def _retour(ligne: dict[str, Any]) -> Retour:
    return Retour(
        ligne["fournisseur"],
        Verdict(ligne["verdict"]),
        ligne["motif"],
        ligne["at"],
        ligne.get("reference"),
        ligne.get("envoi_id"),
    )
