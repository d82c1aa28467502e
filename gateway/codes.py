"""Login codes: ten minutes, five tries, one use. Redis keeps a keyed hash of each, under the hash of its address."""

import hmac
import secrets
from dataclasses import dataclass
from typing import Any

from gateway.domain import CODE_LIFETIME_S, CODE_TRIES, code_depuis, hash_code
from gateway.memory import Memory, Store

# An address without an account keeps the id that its first code announced, as long as notifications keeps its contact.
_PENDING_S = 24 * 3600

_TRY = """
local tries = redis.call('HINCRBY', KEYS[1], 'essais', 1)
local stored = redis.call('HMGET', KEYS[1], 'code', 'compte')
if not stored[1] or tries > tonumber(ARGV[1]) then redis.call('DEL', KEYS[1]) return false end
return stored
"""


@dataclass(frozen=True)
class Attempt:
    """A right code that is not used up yet."""

    compte_id: str
    _key: str


def _code_key(empreinte: str) -> str:
    return f"code:{empreinte}"


class Codes:
    def __init__(self, memory: Memory, key: bytes) -> None:
        self._memory = memory
        self._key = key
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

    async def make(self, empreinte: str, compte_id: str) -> str:
        """A new code; it replaces the one before."""
        code = code_depuis(secrets.randbelow(1_000_000))
        fields: dict[Any, Any] = {"code": hash_code(self._key, empreinte, code), "compte": compte_id, "essais": "0"}

        async def store(redis: Store) -> None:
            async with redis.pipeline(transaction=True) as pipe:
                pipe.delete(_code_key(empreinte))
                pipe.hset(_code_key(empreinte), mapping=fields)
                pipe.expire(_code_key(empreinte), CODE_LIFETIME_S)
                await pipe.execute()

        await self._memory.run(store)
        return code

    async def attempt(self, empreinte: str, code: str) -> Attempt | None:
        """None for a wrong, old, or too often tried code; each call is a try."""
        key = _code_key(empreinte)
        stored = await self._memory.run(lambda _: self._try(keys=[key], args=[CODE_TRIES]))
        expected = stored[0] if stored else b""
        given = hash_code(self._key, empreinte, code).encode()
        if not hmac.compare_digest(expected, given) or not stored:
            return None
        return Attempt(stored[1].decode(), key)

    async def use(self, attempt: Attempt) -> bool:
        """Uses the code up; False when somebody else just did."""
        return bool(await self._memory.run(lambda redis: redis.delete(attempt._key)))

    async def forget(self, empreinte: str) -> None:
        """Erasure: a later account of this address is a new one."""
        await self._memory.run(lambda redis: redis.delete(_code_key(empreinte), f"attente:{empreinte}"))
