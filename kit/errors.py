"""The fate of an error in a consumer: each type says what becomes of the message."""

import asyncio

from aiokafka.errors import KafkaError
from pydantic import ValidationError

from kit.mongo import is_unavailable


class InvalidMessage(Exception):
    """This message can never be processed: dead-letter at once, with the reason."""


class RetryLater(Exception):
    """This message cannot be processed yet (something that it needs has not arrived): retry topic, then dead-letter."""


class Stop(Exception):
    """Going on would do harm: the process ends with exit code ≠ 0 before the offset moves."""


def is_outage(error: BaseException) -> bool:
    """True when a server is away: waiting in place is right, since every other message would fail alike."""
    return is_unavailable(error) or isinstance(error, (KafkaError, ConnectionError, asyncio.TimeoutError))


def is_poison(error: BaseException) -> bool:
    """True when no number of tries can help; an OverflowError is a number that the database cannot hold."""
    return isinstance(error, (InvalidMessage, ValidationError, OverflowError))
