"""Alerts whose ids an earlier version made, in another form than ids.py: which ones an annonce has.

`anciennes_alertes` {_id: id of the row of `envois`, annonce_id, cree_at} is written by a migration, and empty where no
earlier version ran. A collection of its own: one more index of `envois` would cost each message that is sent.
"""

from collections.abc import Iterable

from kit.mongo import Database, Session


async def anciennes_de(db: Database, annonce_ids: Iterable[str], session: Session | None = None) -> list[str]:
    """The ids of their old alerts."""
    filtre = {"annonce_id": {"$in": list(annonce_ids)}}
    return [row["_id"] async for row in db.anciennes_alertes.find(filtre, {"_id": 1}, session=session)]
