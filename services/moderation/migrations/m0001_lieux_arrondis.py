"""Rounds the exact place of citizens in dossiers stored by earlier versions, as annonces does before it publishes."""

from functools import partial

from contracts.commun import TypeAuteur
from kit.database.migrations import MigrationContext
from kit.messaging.outbox import Tx

_EXACTS = {"auteur.type": TypeAuteur.PARTICULIER.value, "contenu.lieu.lat": {"$exists": True}}
_ARRONDI = {f"contenu.lieu.{axe}": {"$round": [f"$contenu.lieu.{axe}", 2]} for axe in ("lat", "lon")}


async def appliquer(base: MigrationContext) -> None:
    async for ids in base.lots("dossiers", _EXACTS):
        await base.run(partial(_arrondir, ids))


async def _arrondir(ids: list[str], tx: Tx) -> None:
    await tx.db.dossiers.update_many({"_id": {"$in": ids}}, [{"$set": _ARRONDI}], session=tx.session)
