"""Redis: sessions, codes, counters, cached pages. Everything in it may be lost without losing what somebody wrote."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

from redis import Redis as Witness
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import LockError, RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from kit.database.redis import is_gone, is_unavailable
from kit.logging import get_logger

log = get_logger(__name__)
T = TypeVar("T")
Store = Redis

# After so much silence Redis is asked whether it is there, and a command is given up after so many times.
_SILENCE_S = 1.0
_SILENCES = 20
_CONNECTIONS = 64
# While Redis is known to be away nobody waits for it again: one try a second is enough.
_PAUSE_S = 1.0


class MemoryAway(Exception):
    """Redis does not answer, or refuses to write: what needs it is refused with 503, what does not goes on without."""


class Memory:
    def __init__(self, url: str) -> None:
        pool = BlockingConnectionPool.from_url(
            url,
            # A pooled connection that died with the server is replaced without anybody noticing.
            retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
            # A rush waits for a free connection: a plain pool would say that the server is away.
            max_connections=_CONNECTIONS,
            timeout=None,
        )
        self._redis: Store = Redis(connection_pool=pool)
        self._away_until = 0.0
        self._witness = Witness.from_url(url, socket_timeout=_SILENCE_S, socket_connect_timeout=_SILENCE_S)
        self._asked: asyncio.Task[bool] | None = None

    async def run(self, command: Callable[[Store], Awaitable[T]]) -> T:
        """The result of `command(redis)`. Raises MemoryAway."""
        if time.monotonic() < self._away_until:
            raise MemoryAway
        try:
            return await self._answer(command(self._redis))
        except RedisError as error:
            if not is_unavailable(error):
                raise
            if is_gone(error):
                self._away_until = time.monotonic() + _PAUSE_S
            log.warning("memory_away", error=type(error).__name__)
            raise MemoryAway from error

    async def _answer(self, command: Awaitable[T]) -> T:
        """What `command` returns. Raises RedisTimeoutError when Redis is silent.

        No answer in time says nothing by itself: in a rush this loop reads late what has come long since. So Redis is
        asked from a thread, which the rush does not hold up.
        """
        task = asyncio.ensure_future(command)
        try:
            for _ in range(_SILENCES):
                if (await asyncio.wait({task}, timeout=_SILENCE_S))[0]:
                    return task.result()
                if not await self._is_there():
                    break
            raise RedisTimeoutError
        finally:
            task.cancel()

    async def _is_there(self) -> bool:
        """Asked once for all who wait."""
        if self._asked is None or self._asked.done():
            self._asked = asyncio.ensure_future(asyncio.to_thread(self._ask))
        return await asyncio.shield(self._asked)

    def _ask(self) -> bool:
        try:
            return bool(self._witness.ping())
        except RedisError:
            return False

    @asynccontextmanager
    async def turn(self, name: str, held_s: float, wait_s: float) -> AsyncIterator[None]:
        """One at a time under `name`, in every gateway; whoever dies in it holds it for `held_s` at most.

        Raises MemoryAway when the turn does not come within `wait_s`.
        """
        lock = self._redis.lock(f"tour:{name}", timeout=held_s, sleep=0.02, thread_local=False)
        if not await self.run(lambda _: lock.acquire(blocking_timeout=wait_s)):
            raise MemoryAway
        try:
            yield
        finally:
            # Lost or not to be reached: it ends by itself.
            with suppress(LockError, MemoryAway):
                await self.run(lambda _: lock.release())

    def script(self, source: str) -> Any:
        """A Lua script, called as `await script(keys=…, args=…)` inside `run`."""
        return self._redis.register_script(source)

    async def ping(self) -> None:
        """Raises when Redis does not answer; not spared by the pause, since it is how a return is seen."""
        await self._answer(self._redis.ping())
        self._away_until = 0.0

    async def close(self) -> None:
        await self._redis.aclose(close_connection_pool=True)
        self._witness.close()
