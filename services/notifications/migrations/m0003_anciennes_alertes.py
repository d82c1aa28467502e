"""Alerts of earlier versions have ids of another form, which links in mails and events name: the ids stay.

They are listed, so that the alerts of an annonce are found whatever the form of their ids (old_ids.py).
"""

from functools import partial

from pymongo import ReplaceOne

from contracts.envois import id_alerte
from contracts.notifications import Canal
from kit.database.migrations import MigrationContext
from kit.messaging.outbox import Tx
from services.notifications.domain import Genre

_LOT = 1000


async def appliquer(base: MigrationContext) -> None:
    async for ids in base.lots("envois", {"genre": Genre.ALERTE.value}, _LOT):
        await base.run(partial(_marquer, ids))


async def _marquer(ids: list[str], tx: Tx) -> None:
    champs = dict.fromkeys(("annonce_id", "version", "profil_id", "canal", "cree_at"), 1)
    anciennes = [
        row
        async for row in tx.db.envois.find({"_id": {"$in": ids}}, champs, session=tx.session)
        if row["_id"] != id_alerte(row["annonce_id"], row["version"], row["profil_id"], Canal(row["canal"]))
    ]
    if not anciennes:
        return
    inscrites = [
        ReplaceOne(
            {"_id": row["_id"]},
            {"annonce_id": row["annonce_id"], "cree_at": row["cree_at"]},
            upsert=True,
        )
        for row in anciennes
    ]
    await tx.db.anciennes_alertes.bulk_write(inscrites, ordered=False, session=tx.session)
    marquees = {"_id": {"$in": [row["_id"] for row in anciennes]}}
    await tx.db.envois.update_many(marquees, {"$set": {"ancienne": True}}, session=tx.session)
