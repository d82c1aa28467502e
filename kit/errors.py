"""The fate of an error in a consumer: each type says what becomes of the message."""

import asyncio

from aiokafka.errors import KafkaError
from pydantic import ValidationError
from pymongo.errors import PyMongoError
from redis.exceptions import RedisError

from kit import mongo, redis


class InvalidMessage(Exception):
    """This message can never be processed: dead-letter at once, with the reason."""


class RetryLater(Exception):
    """This message cannot be processed yet (something that it needs has not arrived): retry topic, then dead-letter."""


class Held(Exception):
    """This message, which was put aside, stays there for another `pause_s` seconds."""

    def __init__(self, pause_s: float) -> None:
        super().__init__(f"stays aside for another {pause_s:.1f} s")
        self.pause_s = pause_s


class Stop(Exception):
    """Going on would do harm: the process ends with exit code ≠ 0 before the offset moves."""


OUTAGES: tuple[type[Exception], ...] = (PyMongoError, RedisError, KafkaError, ConnectionError, asyncio.TimeoutError)
"""What an outage is raised as. Not every one of these errors is an outage: `is_outage` says."""


def is_outage(error: BaseException) -> bool:
    """True when a server is away or refuses for its own reasons (a full disk, a change of primary): waiting in place is
    right, since every other message would fail alike."""
    if isinstance(error, (PyMongoError, RedisError)):
        return mongo.is_unavailable(error) or redis.is_unavailable(error)
    return isinstance(error, OUTAGES)


def is_poison(error: BaseException) -> bool:
    """True when no number of tries can help; an OverflowError is a number that the database cannot hold."""
    return isinstance(error, (InvalidMessage, ValidationError, OverflowError))
