"""Which errors of a Redis client mean that the server is away, or that it refuses for reasons of its own."""

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
# The client has no class for some reasons (a full disk: MISCONF), and a script passes any of them on inside of its own
# message: both are found by the word with which the server names them.
_REASONS = re.compile(r"\b(OOM|MISCONF|READONLY|BUSY|NOREPLICAS|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|NOPERM)\b")


def is_gone(error: BaseException) -> bool:
    """True when nothing usable answers: asking again at once would only wait again."""
    return isinstance(error, _GONE)


def is_unavailable(error: BaseException) -> bool:
    """True when the server is away or refuses for its own reasons, not because the command was wrong."""
    if is_gone(error) or isinstance(error, _REFUSES):
        return True
    return isinstance(error, ResponseError) and _REASONS.search(str(error)) is not None
