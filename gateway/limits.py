"""Counters in windows, kept by Redis's own clock, so that several gateways count together."""

from gateway.door_rules import Limit, retry_after
from gateway.memory import Memory
from kit.http.problems import Problem

COUNT = """
local used = redis.call('INCR', KEYS[1])
if used == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return {used, redis.call('PTTL', KEYS[1])}
"""


def too_many(seconds: int) -> Problem:
    detail = f"Trop de demandes en peu de temps. Réessayez dans {seconds} s."
    return Problem(429, "trop-de-demandes", "Trop de demandes", detail, headers={"Retry-After": str(seconds)})


class Limits:
    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._count = memory.script(COUNT)

    async def check(self, limit: Limit, who: str) -> None:
        """Counts one use. Raises a 429 problem above the limit, MemoryAway when nobody can count."""
        seconds = await self._seconds(limit, who)
        if seconds is not None:
            raise too_many(seconds)

    async def within(self, limit: Limit, who: str) -> bool:
        """Counts one use; False above the limit. Raises MemoryAway when nobody can count."""
        return await self._seconds(limit, who) is None

    async def _seconds(self, limit: Limit, who: str) -> int | None:
        if limit.count <= 0:
            return None
        key = counter_key(limit, who)
        used, left_ms = await self._memory.run(lambda _: self._count(keys=[key], args=[limit.window_s * 1000]))
        return retry_after(limit, used, left_ms)


def counter_key(limit: Limit, who: str) -> str:
    return f"limite:{limit.name}:{who}"
