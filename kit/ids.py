"""Ids: random ones for new things, deterministic ones where a replay may make the same thing again."""

import uuid

_NAMESPACE = uuid.UUID("6f0c2f5e-4f0e-4f8e-9a53-0a1c7b8de2aa")


def new_id() -> str:
    """A random id: 32 hexadecimal digits."""
    return uuid.uuid4().hex


def stable_id(*parts: object) -> str:
    """The same id for the same parts, for ever: 32 hexadecimal digits."""
    return uuid.uuid5(_NAMESPACE, "\x1f".join(str(part) for part in parts)).hex
