"""Prepares the database and the topics of moderation before it starts to work."""

from contracts import topics
from kit.resources import Runtime
from services.moderation.schema import SCHEMA


async def preparer(runtime: Runtime) -> None:
    """Migrates the database and starts creating topics; waits while the database is away."""
    await runtime.prepare(topics.owned_by(runtime.service), topics.read_by(runtime.service), SCHEMA)
