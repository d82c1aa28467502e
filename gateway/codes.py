"""Login codes: ten minutes, five tries, one use. Redis keeps a keyed hash of each.

A code opens a session only for who asked for it: the browser that holds the `demande` given back with the request or,
for a program that sends none, the same source on the network. Somebody else's wrong tries never count against it.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Any

from gateway.domain import CODE_LIFETIME_S, CODE_TRIES, code_depuis, hash_code
from gateway.memory import Memory, Store

# An address without an account keeps the id that its first code announced, as long as notifications keeps its contact.
_PENDING_S = 24 * 3600
# Codes of one address that are valid at once; each is two entries, and the oldest give way.
_ENTRIES_MAX = 2 * 20

# KEYS: the index of an address, the entry of the demande, the entry of the source.
# ARGV: hash of the code, account, lifetime in seconds, most entries of one address.
_MAKE = """
local now = tonumber(redis.call('TIME')[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[3])
for i = 2, 3 do
  redis.call('DEL', KEYS[i])
  redis.call('HSET', KEYS[i], 'code', ARGV[1], 'compte', ARGV[2], 'jumeau', KEYS[5 - i], 'essais', 0)
  redis.call('EXPIRE', KEYS[i], ARGV[3])
  redis.call('ZADD', KEYS[1], now, KEYS[i])
end
while redis.call('ZCARD', KEYS[1]) > tonumber(ARGV[4]) do
  redis.call('DEL', redis.call('ZPOPMIN', KEYS[1])[1])
end
redis.call('EXPIRE', KEYS[1], ARGV[3])
"""

# KEYS: the entry of the demande, the entry of the source. ARGV: how many tries. The first that exists is tried.
# Who holds the demande is who asked: when its tries are used up, both entries go. The source's alone proves less.
_TRY = """
local key = KEYS[1]
if redis.call('EXISTS', key) == 0 then key = KEYS[2] end
local found = redis.call('HMGET', key, 'code', 'compte', 'jumeau')
if not found[1] then return false end
if redis.call('HINCRBY', key, 'essais', 1) > tonumber(ARGV[1]) then
  redis.call('DEL', key)
  if key == KEYS[1] then redis.call('DEL', found[3]) end
  return false
end
return {key, found[1], found[2], found[3]}
"""


@dataclass(frozen=True)
class Attempt:
    """A right code that is not used up yet."""

    compte_id: str
    _key: str
    _twin: str


def _index(empreinte: str) -> str:
    return f"codes:{empreinte}"


def _by_demande(empreinte: str, demande: str) -> str:
    return f"code:{empreinte}:demande:{hashlib.sha256(demande.encode()).hexdigest()}"


def _by_source(empreinte: str, source: str) -> str:
    return f"code:{empreinte}:source:{source}"


class Codes:
    def __init__(self, memory: Memory, key: bytes) -> None:
        self._memory = memory
        self._key = key
        self._make = memory.script(_MAKE)
        self._try = memory.script(_TRY)

    async def pending_id(self, empreinte: str, fresh_id: str) -> str:
        """The id that an address without an account will get: the one of its first code, else `fresh_id`."""

        async def remember(redis: Store) -> Any:
            key = f"attente:{empreinte}"
            await redis.set(key, fresh_id, nx=True, ex=_PENDING_S)
            found: Any = await redis.get(key)
            return found

        found = await self._memory.run(remember)
        return str(found.decode()) if found else fresh_id

    async def make(self, empreinte: str, compte_id: str, source: str) -> tuple[str, str]:
        """(a new code, the demande that it is bound to). `source` is the key by which the client is limited."""
        code, demande = code_depuis(secrets.randbelow(1_000_000)), secrets.token_urlsafe(16)
        keys = [_index(empreinte), _by_demande(empreinte, demande), _by_source(empreinte, source)]
        args = [hash_code(self._key, empreinte, code), compte_id, CODE_LIFETIME_S, _ENTRIES_MAX]
        await self._memory.run(lambda _: self._make(keys=keys, args=args))
        return code, demande

    async def attempt(self, empreinte: str, code: str, demande: str, source: str) -> Attempt | None:
        """None for a wrong, old, or too often tried code, and for one that others asked for; each call is a try."""
        keys = [_by_demande(empreinte, demande), _by_source(empreinte, source)]
        found = await self._memory.run(lambda _: self._try(keys=keys, args=[CODE_TRIES]))
        if not found:
            return None
        key, expected, compte_id, twin = found
        if not hmac.compare_digest(expected, hash_code(self._key, empreinte, code).encode()):
            return None
        return Attempt(compte_id.decode(), key.decode(), twin.decode())

    async def use(self, attempt: Attempt) -> bool:
        """Uses the code up; False when somebody else just did."""

        async def delete(redis: Store) -> bool:
            async with redis.pipeline(transaction=True) as pipe:
                pipe.delete(attempt._key)
                pipe.delete(attempt._twin)
                used, _ = await pipe.execute()
            return bool(used)

        return await self._memory.run(delete)

    async def forget(self, empreinte: str) -> None:
        """Erasure: a later account of this address is a new one."""

        async def delete(redis: Store) -> None:
            entries = await redis.zrange(_index(empreinte), 0, -1)
            await redis.delete(_index(empreinte), f"attente:{empreinte}", *entries)

        await self._memory.run(delete)
