"""Login codes: ten minutes, one use. Redis keeps a keyed hash of each.

A code opens a session only for who asked for it: the browser that holds the `demande` given back with the request or,
for a program that sends none, the same source on the network. Somebody else's wrong tries never count against it.

A demande has five tries. Anybody may ask for codes for an address that is not theirs. So that this neither fills a
mailbox nor locks its owner out, an address that was sent many codes is sent a long one, to which every further demande
is bound while it is valid (`join`): its owner has it already. It is long because those who may try it are many.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Any

from gateway.domain import CODE_COURT, CODE_LIFETIME_S, CODE_TRIES, code_depuis, code_long, hash_code
from gateway.memory import Memory, Store

# An address without an account keeps the id that its first code announced, as long as notifications keeps its contact.
_PENDING_S = 24 * 3600

# KEYS: the index of an address, the entry of the demande, the entry of the source.
# ARGV: hash of the code, account, lifetime in seconds.
# No entry gives way to others, since those may be of strangers: their number is limited by source.
_MAKE = """
local now = tonumber(redis.call('TIME')[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[3])
for i = 2, 3 do
  redis.call('DEL', KEYS[i])
  redis.call('HSET', KEYS[i], 'code', ARGV[1], 'compte', ARGV[2], 'jumeau', KEYS[5 - i], 'essais', 0)
  redis.call('EXPIRE', KEYS[i], ARGV[3])
  redis.call('ZADD', KEYS[1], now, KEYS[i])
end
redis.call('EXPIRE', KEYS[1], ARGV[3])
"""

# KEYS: the index of an address, the entry that was tried, the last long code. ARGV: hash of the code.
# Whoever is bound to the same code can use it no more.
_USE = """
if redis.call('DEL', KEYS[2]) == 0 then return 0 end
for _, key in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  if redis.call('HGET', key, 'code') == ARGV[1] then redis.call('DEL', key) end
end
if redis.call('HGET', KEYS[3], 'code') == ARGV[1] then redis.call('DEL', KEYS[3]) end
return 1
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
return {key, found[1], found[2]}
"""


@dataclass(frozen=True)
class Asked:
    """A code, and the demande that it is bound to. A long code is made again from its `seed`: it is stored nowhere."""

    code: str
    demande: str
    compte_id: str
    seed: str = ""


@dataclass(frozen=True)
class Attempt:
    """A right code that is not used up yet."""

    compte_id: str
    _empreinte: str
    _entry: str
    _hash: str


def _index(empreinte: str) -> str:
    return f"codes:{empreinte}"


def _last(empreinte: str) -> str:
    return f"code:{empreinte}:dernier"


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
        self._use = memory.script(_USE)

    async def pending_id(self, empreinte: str, fresh_id: str) -> str:
        """The id that an address without an account will get: the one of its first code, else `fresh_id`."""

        async def remember(redis: Store) -> Any:
            key = f"attente:{empreinte}"
            await redis.set(key, fresh_id, nx=True, ex=_PENDING_S)
            found: Any = await redis.get(key)
            return found

        found = await self._memory.run(remember)
        return str(found.decode()) if found else fresh_id

    async def make(self, empreinte: str, compte_id: str, source: str) -> Asked:
        """A short code, for this demande alone. `source` is the key by which the client is limited."""
        code = code_depuis(secrets.randbelow(10**CODE_COURT), CODE_COURT)
        return await self._bind(empreinte, code, compte_id, source)

    async def make_long(self, empreinte: str, compte_id: str, source: str) -> Asked:
        """A long code, which others may be bound to once it is `sent`."""
        seed = secrets.token_hex(16)
        return await self._bind(empreinte, code_long(self._key, empreinte, seed), compte_id, source, seed)

    async def sent(self, empreinte: str, asked: Asked) -> None:
        """A long code is on its way to its address."""
        last: dict[Any, Any] = {
            "graine": asked.seed,
            "compte": asked.compte_id,
            "code": hash_code(self._key, empreinte, asked.code),
        }

        async def remember(redis: Store) -> None:
            async with redis.pipeline(transaction=True) as pipe:
                pipe.hset(_last(empreinte), mapping=last)
                pipe.expire(_last(empreinte), CODE_LIFETIME_S)
                await pipe.execute()

        await self._memory.run(remember)

    async def join(self, empreinte: str, source: str) -> Asked | None:
        """A demande that is bound to the last long code that was sent; None when none is valid."""
        last: Any = await self._memory.run(lambda redis: redis.hmget(_last(empreinte), ["graine", "compte"]))
        seed, compte_id = last
        if not seed:
            return None
        code = code_long(self._key, empreinte, seed.decode())
        return await self._bind(empreinte, code, compte_id.decode(), source, seed.decode())

    async def _bind(self, empreinte: str, code: str, compte_id: str, source: str, seed: str = "") -> Asked:
        demande = secrets.token_urlsafe(16)
        keys = [_index(empreinte), _by_demande(empreinte, demande), _by_source(empreinte, source)]
        args = [hash_code(self._key, empreinte, code), compte_id, CODE_LIFETIME_S]
        await self._memory.run(lambda _: self._make(keys=keys, args=args))
        return Asked(code, demande, compte_id, seed)

    async def attempt(self, empreinte: str, code: str, demande: str, source: str) -> Attempt | None:
        """None for a wrong, old, or too often tried code, and for one that others asked for; each call is a try."""
        keys = [_by_demande(empreinte, demande), _by_source(empreinte, source)]
        found = await self._memory.run(lambda _: self._try(keys=keys, args=[CODE_TRIES]))
        if not found:
            return None
        entry, expected, compte_id = found
        tried = hash_code(self._key, empreinte, code)
        if not hmac.compare_digest(expected, tried.encode()):
            return None
        return Attempt(compte_id.decode(), empreinte, entry.decode(), tried)

    async def use(self, attempt: Attempt) -> bool:
        """Uses the code up; False when somebody else just did."""

        keys = [_index(attempt._empreinte), attempt._entry, _last(attempt._empreinte)]
        return bool(await self._memory.run(lambda _: self._use(keys=keys, args=[attempt._hash])))

    async def forget(self, empreinte: str) -> None:
        """Erasure: a later account of this address is a new one."""

        async def delete(redis: Store) -> None:
            entries = await redis.zrange(_index(empreinte), 0, -1)
            await redis.delete(_index(empreinte), _last(empreinte), f"attente:{empreinte}", *entries)

        await self._memory.run(delete)
