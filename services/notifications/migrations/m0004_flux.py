"""An account names the profils whose feeds it has; earlier versions looked for the alerts of a profil instead.

Without this a feed that somebody follows would be empty until they look at their preferences again.
"""

from functools import partial
from typing import Any

from kit.database.migrations import MigrationContext
from kit.messaging.outbox import Tx

_ANCIENNES = {"ancienne": True}


async def appliquer(base: MigrationContext) -> None:
    async for ids in base.lots("envois", _ANCIENNES):
        await base.run(partial(_ouvrir, ids))


async def _ouvrir(ids: list[str], tx: Tx) -> None:
    par_compte: list[dict[str, Any]] = [
        {"$match": {"_id": {"$in": ids}}},
        {"$group": {"_id": "$compte_id", "profils": {"$addToSet": "$profil_id"}}},
    ]
    async for compte in tx.db.envois.aggregate(par_compte, session=tx.session):
        await tx.db.contacts.update_one(
            {"_id": compte["_id"], "efface": {"$ne": True}},
            {"$addToSet": {"flux": {"$each": compte["profils"]}}},
            session=tx.session,
        )
