"""Ids: random ones for new things, deterministic ones where a replay may make the same thing again."""

import hashlib
import uuid

_BYTES = 16


def new_id() -> str:
    """A random id: 32 hexadecimal digits."""
    return uuid.uuid4().hex


def stable_id(*parts: object) -> str:
    """The same id for the same parts, for ever: 32 hexadecimal digits."""
    # A need of the whole city has one per person: a hash alone costs a quarter of a uuid5, and keeps all of its bits.
    return hashlib.blake2b("\x1f".join(map(str, parts)).encode(), digest_size=_BYTES).hexdigest()
