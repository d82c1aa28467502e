"""Claims of rows for a hand-off, their leases, and the marks of what became of them: the writes of every message.

A claimed row names its lot, which is the fencing token. The lease belongs to the lot: one row of `baux` {_id: lot,
canal, envoi_ids, fin_at} exists while somebody has the lot in hand. A claim commits together with its lease, and a mark
together with the end of the lease, so a claimed row always has a lease that is either renewed or found to be over.

What several connections of a deliverer ask at the same time goes to the database in one round trip.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from pymongo import ReplaceOne, UpdateMany, UpdateOne

from contracts.envois import Etat, Motif
from contracts.notifications import Canal
from kit.batching import Batch
from kit.clock import Clock
from kit.database.mongo import Mongo, Session
from kit.messaging.outbox import Outbox, Tx
from services.notifications import domain
from services.notifications.delivery import marks
from services.notifications.delivery.marks import Mark
from services.notifications.planning.channel_rules import Regles
from services.notifications.registre.rows import Ligne

_LOTS_ECHUS = 50
_EVENTS_WITHIN_S = 0.2


class _Incomplete(Exception):
    """Not every row was written: one of the lots was marked before, or lost its lease."""


class Claims:
    """The claims of one channel in one process."""

    def __init__(
        self,
        canal: Canal,
        mongo: Mongo,
        outbox: Outbox,
        clock: Clock,
        regles: Regles,
        enough: Callable[[int], bool] = lambda lots: True,
        more: Callable[[], bool] = lambda: False,
    ) -> None:
        """`enough`: of a number of lots to mark, whether to write them now rather than wait for others that are about
        to end. `more`: whether messages wait to be handed over."""
        self._canal = canal
        self._mongo = mongo
        self._outbox = outbox
        self._clock = clock
        self._regles = regles
        self._more = more
        self._envois = mongo.db.envois
        self._baux = mongo.db.baux
        self._claims = Batch(self._claim)
        self._marks = Batch(self._mark, enough)

    async def claim(self, lignes: Sequence[Ligne], lot: str) -> list[Ligne]:
        """Claims rows for a hand-off, committed when this returns. Returns those that are the lot's from now on: rows
        that are done, or that somebody else has claimed, are left out."""
        return (await self._claims((lot, lignes)))[lot]

    async def claim_inserted(self, lots: Mapping[str, Sequence[Ligne]], session: Session) -> None:
        """Writes the leases of rows that this transaction inserts as claimed, by lot."""
        if lots:
            await self._baux.insert_many(self._leases(lots), session=session)

    async def extend(self, lots: Iterable[str]) -> bool:
        """Extends the leases of lots that are still in hand; False when one of the leases is gone."""
        voulus = list(lots)
        extended = await self._baux.update_many(
            {"_id": {"$in": voulus}}, {"$set": {"fin_at": self._clock.now() + domain.BAIL}}
        )
        return int(extended.matched_count) == len(voulus)

    async def renew(self, lot: str) -> list[Ligne]:
        """Extends the lease of a lot that waited for its turn; returns the rows that are still the lot's."""
        bail = await self._baux.find_one_and_update(
            {"_id": lot}, {"$set": {"fin_at": self._clock.now() + domain.BAIL}}, projection={"envoi_ids": 1}
        )
        if bail is None:
            return []
        siennes = {"_id": {"$in": bail["envoi_ids"]}, "lot": lot, "etat": Etat.REMISE.value}
        return [ligne async for ligne in self._envois.find(siennes)]

    async def mark(self, mark: Mark) -> None:
        """Writes what became of a lot, ends its lease and emits its events, committed when this returns. Rows whose
        lease went to somebody else meanwhile, or that were marked before, are left as they are."""
        await self._marks(mark)

    async def give_up_expired(self) -> int:
        """Ends leases that are over: whoever held them is gone, perhaps after the hand-off. Returns of how many rows
        nobody knows the outcome."""
        now = self._clock.now()
        echus = {"canal": self._canal.value, "fin_at": {"$lt": now}}
        # Most of the time there is none; then no transaction is needed.
        if await self._baux.find_one(echus, {"_id": 1}) is None:
            return 0
        return await self._mongo.transaction(lambda session: self._give_up(echus, now, session))

    async def _claim(self, demandes: Sequence[tuple[str, Sequence[Ligne]]]) -> dict[str, list[Ligne]]:
        lots = dict(demandes)
        toutes = [ligne for lignes in lots.values() for ligne in lignes]

        async def work(session: Session) -> int:
            # Replaced, not inserted: a first try whose answer was lost has written them already.
            leases = [ReplaceOne({"_id": bail["_id"]}, bail, upsert=True) for bail in self._leases(lots)]
            await self._baux.bulk_write(leases, ordered=False, session=session)
            claims = [_claim_update(lot, lignes, self._clock.now()) for lot, lignes in lots.items()]
            return int((await self._envois.bulk_write(claims, ordered=False, session=session)).modified_count)

        claimed = await self._mongo.transaction(work)
        if claimed == len(toutes) and all(ligne["tentatives"] == 0 for ligne in toutes):
            # All rows are fresh and ours, so what is in memory is what is stored: a round trip is saved.
            return {lot: [{**ligne, "tentatives": 1} for ligne in lignes] for lot, lignes in lots.items()}
        # Read by lot, because that first try whose answer was lost claimed rows too.
        found: dict[str, list[Ligne]] = {lot: [] for lot in lots}
        cursor = self._envois.find({"_id": {"$in": _ids(toutes)}, "lot": {"$in": list(lots)}})
        async for ligne in cursor:
            found[ligne["lot"]].append(ligne)
        return found

    async def _mark(self, batch: Sequence[Mark]) -> None:
        try:
            await self._write_marks(batch)
        except _Incomplete:
            # The count does not say which lot is incomplete, so each is written in a transaction of its own.
            for mark in batch:
                await self._write_marks([mark])

    async def _write_marks(self, batch: Sequence[Mark]) -> None:
        async def work(tx: Tx) -> None:
            now = self._clock.now()
            updates = marks.updates(batch, now)
            written = 0
            if updates:
                result = await self._envois.bulk_write(updates, ordered=False, session=tx.session)
                written = int(result.modified_count)
                await self._baux.delete_many({"_id": {"$in": [mark.lot for mark in batch]}}, session=tx.session)
            if len(batch) > 1 and written < sum(len(mark.suites) for mark in batch):
                raise _Incomplete
            if not written:
                return
            remises = [suite for mark in batch for suite in mark.remises]
            if parties := sum(suite.recu.parties for suite in remises if suite.recu is not None):
                await self._regles.compter(parties, sum(suite.centimes for suite in remises), tx.session)
            for event, cause in marks.events(self._canal, batch, now):
                tx.emit(event, cause=cause)

        # While more messages are handed over, the event may wait and be published together with the next ones.
        await self._outbox.run(work, within_s=_EVENTS_WITHIN_S if self._more() else 0.0)

    async def _give_up(self, echus: Mapping[str, Any], now: dt.datetime, session: Session) -> int:
        cursor = self._baux.find(echus, session=session).sort("fin_at", 1).limit(_LOTS_ECHUS)
        baux = [bail async for bail in cursor]
        lots = [bail["_id"] for bail in baux]
        ids = [envoi_id for bail in baux for envoi_id in bail["envoi_ids"]]
        # Whoever extends one of these leases at this moment conflicts with this transaction: one of the two is undone.
        await self._baux.delete_many({"_id": {"$in": lots}}, session=session)
        tenues = {"_id": {"$in": ids}, "lot": {"$in": lots}, "etat": Etat.REMISE.value}
        cursor = self._envois.find(tenues, {"tentatives": 1}, session=session)
        updates = [
            UpdateOne(
                {"_id": ligne["_id"]},
                marks.update(domain.apres_inconnue(self._canal, ligne["tentatives"], Motif.BAIL_ECHU, now), now),
            )
            async for ligne in cursor
        ]
        if updates:
            await self._envois.bulk_write(updates, ordered=False, session=session)
        return len(updates)

    def _leases(self, lots: Mapping[str, Sequence[Ligne]]) -> list[dict[str, Any]]:
        fin_at = self._clock.now() + domain.BAIL
        return [
            {"_id": lot, "canal": self._canal.value, "envoi_ids": _ids(lignes), "fin_at": fin_at}
            for lot, lignes in lots.items()
        ]


def _ids(lignes: Iterable[Ligne]) -> list[str]:
    return [ligne["_id"] for ligne in lignes]


def _claim_update(lot: str, lignes: Sequence[Ligne], now: dt.datetime) -> UpdateMany:
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
