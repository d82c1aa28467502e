"""What must exist before matching works: its database as the code expects it, and its topics."""

from contracts import topics
from kit.resources import Runtime
from services.matching.schema import SCHEMA


async def preparer(runtime: Runtime) -> None:
    """Makes what is missing; waits for servers that are not there yet, or that leave meanwhile."""
    await runtime.prepare(topics.owned_by(runtime.service), topics.read_by(runtime.service), SCHEMA)
