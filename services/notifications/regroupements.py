"""Messages that count: what was over somebody's limit becomes one mail, once it is due (limits.py)."""

import asyncio
import datetime as dt
from functools import partial
from typing import Any

from contracts.envois import Etat, Motif
from contracts.notifications import Canal
from kit.clock import Clock
from kit.database.mongo import Database
from kit.ids import stable_id
from kit.messaging.outbox import Outbox, Tx
from kit.waiting import every
from services.notifications.delivery.outgoing import Courrier
from services.notifications.domain import Genre
from services.notifications.planning import limits
from services.notifications.registre.store import Registre

_TOUTES_LES_S = 1.0
_LOT = 100


class Regroupements:
    def __init__(self, db: Database, registre: Registre, courrier: Courrier, outbox: Outbox, clock: Clock) -> None:
        self._db = db
        self._registre = registre
        self._courrier = courrier
        self._outbox = outbox
        self._clock = clock

    async def run(self, stopping: asyncio.Event) -> None:
        """Until `stopping`; a server that is away is waited for."""

        async def look() -> bool:
            return await self.passer() == _LOT

        await every(_TOUTES_LES_S, look, stopping, away="merged_messages_wait")

    async def passer(self) -> int:
        """Writes those that are due, at most a hundred; returns for how many people."""
        # By channel, as the index of what is to be taken up wants it.
        du = {"canal": {"$in": [canal.value for canal in Canal]}, **self._en_attente(), **_dus(self._clock.now())}
        groupes = self._db.envois.aggregate(
            [{"$match": du}, {"$group": {"_id": "$compte_id", "at": {"$min": "$resume_at"}}}, {"$limit": _LOT}]
        )
        comptes = [(groupe["_id"], groupe["at"]) async for groupe in groupes]
        for compte_id, at in comptes:
            await self._outbox.run(partial(self._regrouper, compte_id, at))
        return len(comptes)

    async def _regrouper(self, compte_id: str, at: dt.datetime, tx: Tx) -> None:
        filtre = {"compte_id": compte_id, **self._en_attente(), "resume_at": {"$lte": self._clock.now()}}
        lignes = [ligne async for ligne in self._db.envois.find(filtre, session=tx.session)]
        if not lignes:
            return
        donnees = limits.compter(lignes)
        # A digest: the content outlives the account.
        cause = stable_id(compte_id, at.isoformat())
        ids = await self._courrier.ecrire({compte_id: Canal.EMAIL}, Genre.REGROUPEMENT, cause, donnees, tx)
        if compte_id in ids:
            await self._registre.regrouper([ligne["_id"] for ligne in lignes], [], ids[compte_id], tx.session)

    @staticmethod
    def _en_attente() -> dict[str, Any]:
        return {"etat": Etat.EN_FILE.value, "motif": Motif.REGROUPEMENT.value}


def _dus(now: dt.datetime) -> dict[str, Any]:
    return {"reprise_at": {"$lte": now}, "resume_at": {"$lte": now}}
