"""Earlier versions kept the lease of a claim on each row, in `reprise_at`; now it is one row of `baux` for the lot.

Without that row nobody would find out that a claim is over, and what a stopped process had in hand would stay there.
"""

from collections import defaultdict
from functools import partial

from contracts.envois import Etat
from kit.database.migrations import MigrationContext
from kit.messaging.outbox import Tx
from services.notifications.registre.rows import Ligne

_TENUES = {"etat": Etat.REMISE.value, "reprise_at": {"$exists": True}}


async def appliquer(base: MigrationContext) -> None:
    async for ids in base.lots("envois", _TENUES):
        await base.run(partial(_inscrire, ids))


async def _inscrire(ids: list[str], tx: Tx) -> None:
    # Read again in the transaction: a deliverer of the older version may have marked some of them meanwhile.
    lots: dict[tuple[str, str], list[Ligne]] = defaultdict(list)
    async for row in tx.db.envois.find({"_id": {"$in": ids}, **_TENUES}, session=tx.session):
        lots[row["lot"], row["canal"]].append(row)
    for (lot, canal), rows in lots.items():
        siens = [row["_id"] for row in rows]
        fin_at = max(row["reprise_at"] for row in rows)
        await tx.db.baux.update_one(
            {"_id": lot},
            {"$set": {"canal": canal}, "$max": {"fin_at": fin_at}, "$addToSet": {"envoi_ids": {"$each": siens}}},
            upsert=True,
            session=tx.session,
        )
        await tx.db.envois.update_many({"_id": {"$in": siens}}, {"$unset": {"reprise_at": ""}}, session=tx.session)
