"""Which words of Redis mean that it refuses for its own reasons."""

import pytest
from redis._parsers.base import BaseParser
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from kit.database.redis import is_gone, is_unavailable
from kit.errors import is_outage

REFUSALS = [
    "OOM command not allowed when used memory > 'maxmemory'.",
    "MISCONF Errors writing to the AOF file: No space left on device",
    "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
    "READONLY You can't write against a read only replica.",
    "LOADING Redis is loading the dataset in memory",
    "NOREPLICAS Not enough good replicas to write.",
    "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    "CLUSTERDOWN The cluster is down",
    "TRYAGAIN Multiple keys request during rehashing of slot",
    "NOAUTH Authentication required.",
    "WRONGPASS invalid username-password pair or user is disabled.",
    "NOPERM this user has no permissions to run the 'set' command",
    "EXECABORT Transaction discarded because of previous errors.",
    "ERR max number of clients reached",
    "ERR Error running script (call to f_1): @user_script:1: @user_script: 1: -OOM command not allowed when used",
    "ERR Error running script (call to f_1): @user_script:1: -MISCONF Errors writing to the AOF file",
]


def _error(answer: str) -> Exception:
    error: Exception = BaseParser.parse_error(answer)  # type: ignore[no-untyped-call]  # redis has no type for it
    return error


@pytest.mark.parametrize("answer", REFUSALS)
def test_un_redis_qui_refuse_est_une_panne(answer: str) -> None:
    error = _error(answer)
    assert is_unavailable(error)
    assert is_outage(error)


@pytest.mark.parametrize("answer", ["WRONGTYPE Operation against a key", "ERR syntax error", "NOSCRIPT No matching"])
def test_une_commande_fausse_n_est_pas_une_panne(answer: str) -> None:
    assert not is_outage(_error(answer))


def test_seul_un_redis_absent_n_est_pas_redemande_aussitot() -> None:
    assert is_gone(RedisConnectionError("gone"))
    assert is_gone(RedisTimeoutError("slow"))
    assert not is_gone(ResponseError("OOM command not allowed"))
    assert not is_gone(RedisError())
