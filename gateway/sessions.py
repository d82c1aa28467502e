"""Sessions: a random token that only its holder knows. Redis keeps its hash, whose session it is and since when; what
the account may do is looked up at each request (rights.py)."""

import datetime as dt
import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

import orjson

from gateway.domain import SESSION_LIFETIME_S, duree_session
from gateway.door_rules import Limit
from gateway.limits import COUNT, counter_key
from gateway.memory import Memory
from gateway.rights import CLE_DROITS, Droits, lire_droits

COOKIE = "__Host-place"

# One round trip for what every request needs: is it too much, who is it, what may they do.
_ENTER = (
    "local function count()"
    + COUNT
    + "end\n"
    + """
local counted = {0, 0}
if tonumber(ARGV[1]) > 0 then counted = count() end
local session, droits = false, false
if KEYS[2] ~= '' then session = redis.call('GET', KEYS[2]) end
if session then droits = redis.call('GET', ARGV[2] .. cjson.decode(session).compte_id) end
return {counted[1], counted[2], session, droits}
"""
)


@dataclass(frozen=True)
class Session:
    """`ouverte_at` in Unix seconds; None for a session of the first release, which Redis ends within 30 days."""

    compte_id: str
    ouverte_at: float | None

    def finie(self, roles: Iterable[str], now: dt.datetime) -> bool:
        """A moderator's session ends earlier, also when the role came after the login."""
        lasts = duree_session(roles)
        if self.ouverte_at is None:
            return lasts < SESSION_LIFETIME_S
        return now.timestamp() >= self.ouverte_at + lasts


@dataclass(frozen=True)
class Entree:
    """What one round trip tells: requests in the window, milliseconds left in it, the session, the rights if kept."""

    used: int
    left_ms: int
    session: Session | None
    droits: Droits | None


@dataclass(frozen=True)
class Opened:
    """`token` is shown once, to its holder."""

    token: str
    expire_at: dt.datetime


def _key(token: str) -> str:
    return "session:" + hashlib.sha256(token.encode()).hexdigest()


class Sessions:
    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._enter = memory.script(_ENTER)

    async def open(self, compte_id: str, roles: Iterable[str], now: dt.datetime) -> Opened:
        """A fresh token at each login: a token that somebody planted before it is worth nothing after it."""
        token = secrets.token_urlsafe(32)
        value = orjson.dumps({"compte_id": compte_id, "ouverte_at": now.timestamp()})
        seconds = duree_session(roles)
        await self._memory.run(lambda redis: redis.set(_key(token), value, ex=seconds))
        return Opened(token, now + dt.timedelta(seconds=seconds))

    async def enter(self, token: str | None, limit: Limit, who: str) -> Entree:
        """Counts one request of `who` and finds the session of `token`. Raises MemoryAway."""
        used, left_ms, session, droits = await self._memory.run(
            lambda _: self._enter(
                keys=[counter_key(limit, who), _key(token) if token else ""],
                # The count script reads ARGV[1] as its window.
                args=[limit.window_s * 1000 if limit.count > 0 else 0, CLE_DROITS],
            )
        )
        return Entree(used, left_ms, _session(session), lire_droits(droits) if droits else None)

    async def close(self, token: str) -> None:
        await self._memory.run(lambda redis: redis.delete(_key(token)))


def _session(raw: bytes | None) -> Session | None:
    if not raw:
        return None
    stored = orjson.loads(raw)
    return Session(stored["compte_id"], stored.get("ouverte_at"))
