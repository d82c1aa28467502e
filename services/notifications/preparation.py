"""What must exist before notifications works: its topics, and the indexes of its collections."""

from contracts import topics
from kit.runtime import Runtime
from kit.waiting import outlast
from services.notifications.atelier import Atelier
from services.notifications.settings import Reglages


async def preparer(runtime: Runtime, atelier: Atelier, settings: Reglages) -> None:
    """Creates what is missing; waits for servers that are not there yet, or that leave meanwhile."""
    await runtime.prepare(topics.owned_by(runtime.service), topics.read_by(runtime.service))
    await outlast(atelier.create_indexes, settings)
