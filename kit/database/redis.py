"""Tells which Redis errors mean that the server is away or refuses for its own reasons."""

import re

from redis.exceptions import (
    ClusterDownError,
    ExecAbortError,
    MasterDownError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

_GONE = (RedisConnectionError, RedisTimeoutError)
_REFUSES = (
    ClusterDownError,
    ExecAbortError,
    MasterDownError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    TryAgainError,
)
# The client has no exception class for some reasons (MISCONF: full disk), and a failing script wraps the reason in its
# own message. Both contain the server's keyword.
_REASONS = re.compile(r"\b(OOM|MISCONF|READONLY|BUSY|NOREPLICAS|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|NOPERM)\b")


def is_gone(error: BaseException) -> bool:
    """True when the server does not answer: asking again at once would wait for another time-out."""
    return isinstance(error, _GONE)


def is_unavailable(error: BaseException) -> bool:
    """True when the server is away or refuses for its own reasons; False when the command was wrong."""
    if is_gone(error) or isinstance(error, _REFUSES):
        return True
    return isinstance(error, ResponseError) and _REASONS.search(str(error)) is not None
