"""Sessions: a random token that only its holder knows; Redis keeps its hash, and forgets it after 30 idle days."""

import datetime as dt
import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

import orjson

from gateway.domain import SESSION_LIFETIME_S
from gateway.limits import COUNT, counter_key
from gateway.memory import Memory, Store
from gateway.rules import Limit

COOKIE = "__Host-place"

# One round trip for what every request needs: is it too much, and who is it.
_ENTER = (
    "local function count()"
    + COUNT
    + "end\n"
    + """
local counted = {0, 0}
if tonumber(ARGV[1]) > 0 then counted = count() end
local session = false
if KEYS[2] ~= '' then session = redis.call('GETEX', KEYS[2], 'EX', ARGV[2]) end
return {counted[1], counted[2], session}
"""
)


@dataclass(frozen=True)
class Session:
    compte_id: str
    roles: frozenset[str]


@dataclass(frozen=True)
class Opened:
    """`token` is shown once, to its holder."""

    token: str
    expire_at: dt.datetime


def _key(token: str) -> str:
    return "session:" + hashlib.sha256(token.encode()).hexdigest()


def _of_account(compte_id: str) -> str:
    return f"sessions:{compte_id}"


class Sessions:
    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._enter = memory.script(_ENTER)

    async def open(self, compte_id: str, roles: Iterable[str], now: dt.datetime) -> Opened:
        """A fresh token at each login: a token that somebody planted before it is worth nothing after it."""
        token = secrets.token_urlsafe(32)
        value = orjson.dumps({"compte_id": compte_id, "roles": sorted(roles)})

        async def store(redis: Store) -> None:
            async with redis.pipeline(transaction=True) as pipe:
                pipe.set(_key(token), value, ex=SESSION_LIFETIME_S)
                pipe.sadd(_of_account(compte_id), _key(token))
                pipe.expire(_of_account(compte_id), SESSION_LIFETIME_S * 2)
                await pipe.execute()

        await self._memory.run(store)
        return Opened(token, now + dt.timedelta(seconds=SESSION_LIFETIME_S))

    async def enter(self, token: str | None, limit: Limit, who: str) -> tuple[int, int, Session | None]:
        """(requests of `who` in the window, milliseconds left in it, the session of `token`). Raises MemoryAway."""
        used, left_ms, raw = await self._memory.run(
            lambda _: self._enter(
                keys=[counter_key(limit, who), _key(token) if token else ""],
                # The count script reads ARGV[1] as its window.
                args=[limit.window_s * 1000 if limit.count > 0 else 0, SESSION_LIFETIME_S],
            )
        )
        return used, left_ms, _session(raw)

    async def close(self, token: str, compte_id: str) -> None:
        async def delete(redis: Store) -> None:
            async with redis.pipeline(transaction=True) as pipe:
                pipe.delete(_key(token))
                pipe.srem(_of_account(compte_id), _key(token))
                await pipe.execute()

        await self._memory.run(delete)

    async def close_all(self, compte_id: str) -> None:
        """Ends every session of an account: its roles changed, or it is erased."""

        async def delete(redis: Store) -> None:
            keys = await redis.smembers(_of_account(compte_id))
            await redis.delete(_of_account(compte_id), *keys)

        await self._memory.run(delete)


def _session(raw: bytes | None) -> Session | None:
    if not raw:
        return None
    stored = orjson.loads(raw)
    return Session(stored["compte_id"], frozenset(stored["roles"]))
