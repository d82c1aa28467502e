"""Finds alerts with ids made by earlier versions of the code, which differ from those of ids.py.

`anciennes_alertes` {_id: id of the row of `envois`, annonce_id, cree_at} is written by a migration, and empty on new
installations. It is a collection of its own because another index of `envois` would slow down every message.
"""

from collections.abc import Iterable

from kit.database.mongo import Database, Session


async def anciennes_de(db: Database, annonce_ids: Iterable[str], session: Session | None = None) -> list[str]:
    """The ids of the old alerts of these annonces."""
    filtre = {"annonce_id": {"$in": list(annonce_ids)}}
    return [row["_id"] async for row in db.anciennes_alertes.find(filtre, {"_id": 1}, session=session)]
