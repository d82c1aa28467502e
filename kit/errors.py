"""Error types that decide what a consumer does with a message."""

import asyncio

from aiokafka.errors import KafkaError
from pydantic import ValidationError
from pymongo.errors import PyMongoError
from redis.exceptions import RedisError

from kit.database import mongo, redis


class InvalidMessage(Exception):
    """The message can never be processed: it becomes a dead letter at once, with the reason."""


class RetryLater(Exception):
    """The message cannot be processed yet because something it needs has not arrived: it goes to the retry topic, and
    becomes a dead letter after the last attempt."""


class Held(Exception):
    """The message, which was put aside, must stay there for another `pause_s` seconds."""

    def __init__(self, pause_s: float) -> None:
        super().__init__(f"stays aside for another {pause_s:.1f} s")
        self.pause_s = pause_s


class Stop(Exception):
    """Continuing would do harm: the process exits with a code ≠ 0 before the offset moves."""


OUTAGES: tuple[type[Exception], ...] = (PyMongoError, RedisError, KafkaError, ConnectionError, asyncio.TimeoutError)
"""Exception types that an outage may raise. Not every instance is an outage: use `is_outage`."""


def is_outage(error: BaseException) -> bool:
    """True when a server is away, or refuses for its own reasons (full disk, change of primary). The consumer then
    waits and retries the same message, since every other message would fail too."""
    if isinstance(error, (PyMongoError, RedisError)):
        return mongo.is_unavailable(error) or redis.is_unavailable(error)
    return isinstance(error, OUTAGES)


def is_poison(error: BaseException) -> bool:
    """True when retrying cannot help. OverflowError means a number that the database cannot store."""
    return isinstance(error, (InvalidMessage, ValidationError, OverflowError))
