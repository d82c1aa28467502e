"""Earlier versions stored the exact place of a citizen who posts, and told it in their events: it is rounded.

An annonce that is online is told once more, so that the compacted topic keeps the rounded place only. Nobody is alerted
a second time by that event. Of the others, the next event tells the rounded place, or Kafka forgets the last one.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from contracts.annonces import Annonce, AnnonceModifiee, EtatAnnonce
from contracts.commun import TypeAuteur
from kit.database.migrations import MigrationContext
from kit.messaging.outbox import Tx


async def appliquer(base: MigrationContext) -> None:
    async for ids in base.lots("annonces", {"auteur.type": TypeAuteur.PARTICULIER.value}):
        await base.run(partial(_arrondir, ids))


async def _arrondir(ids: Sequence[str], tx: Tx) -> None:
    rows = await tx.db.annonces.find({"_id": {"$in": list(ids)}}, session=tx.session).to_list(None)
    for row in rows:
        lat, lon = round(row["lieu"]["lat"], 2), round(row["lieu"]["lon"], 2)
        if (lat, lon) == (row["lieu"]["lat"], row["lieu"]["lon"]):
            continue
        champs: dict[str, Any] = {"lieu": {**row["lieu"], "lat": lat, "lon": lon}}
        champs["position"] = {"type": "Point", "coordinates": [lon, lat]}
        if row["etat"] == EtatAnnonce.PUBLIEE.value:
            champs["version"] = row["version"] + 1
            tx.emit(AnnonceModifiee(annonce=Annonce.model_validate({**row, **champs})))
        await tx.db.annonces.update_one({"_id": row["_id"]}, {"$set": champs}, session=tx.session)
