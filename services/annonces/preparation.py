"""What must exist before annonces works: its topics, and the indexes of its collections."""

import asyncio

from contracts import topics
from kit.errors import is_outage
from kit.logging import get_logger
from kit.runtime import Runtime
from services.annonces.store import Store

log = get_logger(__name__)

_PAUSE_S = 0.5


async def preparer(runtime: Runtime, store: Store) -> None:
    """Creates what is missing; waits for servers that are not there yet, or that leave meanwhile."""
    await runtime.prepare(topics.owned_by(runtime.service), topics.read_by(runtime.service))
    while True:
        try:
            return await store.create_indexes()
        except Exception as error:
            if not is_outage(error):
                raise
            log.warning("indexes_wait_for_server", error=type(error).__name__)
        await asyncio.sleep(_PAUSE_S)
