"""What must exist before annonces works: its topics, and the indexes of its collections."""

from contracts import topics
from kit.runtime import Runtime
from kit.waiting import outlast
from services.annonces.store import Store


async def preparer(runtime: Runtime, store: Store) -> None:
    """Creates what is missing; waits for servers that are not there yet, or that leave meanwhile."""
    await runtime.prepare(topics.owned_by(runtime.service), topics.read_by(runtime.service))
    await outlast(store.create_indexes)
