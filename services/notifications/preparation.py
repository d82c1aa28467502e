"""What must exist before notifications works: its database as the code expects it, and its topics."""

from contracts import topics
from kit.resources import Runtime
from services.notifications.schema import schema
from services.notifications.settings import Reglages


async def preparer(runtime: Runtime, settings: Reglages) -> None:
    """Makes what is missing; waits for servers that are not there yet, or that leave meanwhile."""
    await runtime.prepare(topics.owned_by(runtime.service), topics.read_by(runtime.service), schema(settings))
