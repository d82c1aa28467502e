"""Contents of alerts held the exact place of a citizen who posts; a message only says the quartier."""

from functools import partial

from kit.database.migrations import MigrationContext
from kit.messaging.outbox import Tx

_EXACTS = {"$or": [{"donnees.lieu.lat": {"$exists": True}}, {"donnees.annonces.lieu.lat": {"$exists": True}}]}


async def appliquer(base: MigrationContext) -> None:
    async for ids in base.lots("contenus", _EXACTS):
        await base.run(partial(_retirer, ids))


async def _retirer(ids: list[str], tx: Tx) -> None:
    for filtre, debut in (({}, "donnees"), ({"donnees.annonces": {"$exists": True}}, "donnees.annonces.$[]")):
        exacts = {f"{debut}.lieu.lat": "", f"{debut}.lieu.lon": ""}
        await tx.db.contenus.update_many({"_id": {"$in": ids}, **filtre}, {"$unset": exacts}, session=tx.session)
