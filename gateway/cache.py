"""Public answers for visitors, kept in Redis: fresh for seconds, shown with a warning for minutes in an outage.

The key is what they answer (public_reads.py), never how somebody asked for it. They are counted; the oldest give way.
"""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from gateway.memory import Memory, MemoryAway, Store
from gateway.public_reads import Lecture, lecture
from gateway.upstream import VISITOR, Answer, ServiceAway, Services
from kit.http.problems import unavailable

_GENERATION = "pages:generation"
_INDEX = "pages:entrees"
# With something to show instead nobody waits long for a service that hangs.
_IMPATIENT_S = 3.0
# A service that has just failed is not waited for again by everybody: one try in this time is enough.
_PAUSE_S = 2.0
_BODY_MAX = 128 * 1024
STALE_HEADER = "x-place-fraicheur"

# KEYS: the index (entry → when it was written), the entry. ARGV: value, seconds that it is kept, most entries, now.
_SAVE = """
redis.call('SET', KEYS[2], ARGV[1], 'EX', ARGV[2])
redis.call('ZADD', KEYS[1], ARGV[4], KEYS[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[4] - ARGV[2])
local over = redis.call('ZCARD', KEYS[1]) - tonumber(ARGV[3])
if over > 0 then
  local oldest = redis.call('ZPOPMIN', KEYS[1], over)
  for i = 1, #oldest, 2 do redis.call('DEL', oldest[i]) end
end
redis.call('EXPIRE', KEYS[1], ARGV[2])
"""


@dataclass(frozen=True)
class Entry:
    """`at` in Unix seconds; an entry of an older generation is stale, whatever its age."""

    generation: int
    at: float
    answer: Answer


@dataclass(frozen=True)
class Page:
    """An answer, and since when it is out of date (Unix seconds), or None when it is fresh."""

    answer: Answer
    stale_since: float | None = None


class Pages:
    """The store of entries. Without Redis nothing is found and nothing is kept."""

    def __init__(
        self, memory: Memory, fresh_s: int, stale_s: int, most: int, clock: Callable[[], float] = time.time
    ) -> None:
        """`most`: how many entries there are at once, in all gateways together."""
        self._memory = memory
        self._most = most
        self._save = memory.script(_SAVE)
        self.fresh_s = fresh_s
        self._kept_s = fresh_s + stale_s
        self.clock = clock

    async def load(self, url: str) -> tuple[int | None, Entry | None]:
        """(current generation, entry); the generation is None when Redis is away."""
        try:
            generation, raw = await self._memory.run(lambda redis: redis.mget(_GENERATION, _key(url)))
        except MemoryAway:
            return None, None
        return int(generation or 0), _decode(raw) if raw else None

    async def save(self, url: str, entry: Entry) -> None:
        if len(entry.answer.body) > _BODY_MAX:
            return
        try:
            keys, args = [_INDEX, _key(url)], [_encode(entry), self._kept_s, self._most, entry.at]
            await self._memory.run(lambda _: self._save(keys=keys, args=args))
        except MemoryAway:
            return

    async def drop(self, url: str) -> None:
        try:
            await self._memory.run(lambda redis: redis.delete(_key(url)))
        except MemoryAway:
            return

    async def invalidate(self) -> None:
        """What was cached before now is not fresh any more. Raises MemoryAway."""

        async def bump(redis: Store) -> None:
            await redis.incr(_GENERATION)

        await self._memory.run(bump)


class PublicReader:
    """Reads public URLs as a visitor would, through the cache."""

    def __init__(self, pages: Pages, services: Services) -> None:
        self._pages = pages
        self._services = services
        self._failing_until: dict[str, float] = {}

    async def get(self, service: str, path: str, query: str = "") -> Page:
        """`path` decoded, `query` raw. Raises a 503 problem when the service is away and nothing is kept."""
        asked = lecture(path, query)
        if not asked.kept:
            try:
                return Page(await self._ask(service, asked))
            except ServiceAway as error:
                raise unavailable() from error
        url = asked.key
        generation, entry = await self._pages.load(url)
        now = self._pages.clock()
        if entry is not None and entry.generation == generation and now - entry.at < self._pages.fresh_s:
            return Page(_with(entry.answer, {"age": str(max(0, int(now - entry.at)))}))
        if entry is not None and time.monotonic() < self._failing_until.get(service, 0.0):
            return self._outdated(entry, now)
        try:
            timeout_s = _IMPATIENT_S if entry is not None else None
            answer = await self._ask(service, asked, timeout_s)
        except ServiceAway:
            self._failing_until[service] = time.monotonic() + _PAUSE_S
            return self._outdated(entry, now)
        if answer.status >= 500:
            self._failing_until[service] = time.monotonic() + _PAUSE_S
            return self._outdated(entry, now)
        if answer.status == 200 and generation is not None:
            await self._pages.save(url, Entry(generation, now, answer))
        elif answer.status in (404, 410) and entry is not None:
            await self._pages.drop(url)
        return Page(answer)

    async def _ask(self, service: str, asked: Lecture, timeout_s: float | None = None) -> Answer:
        return await self._services.call(service, "GET", asked.path, VISITOR, query=asked.query, timeout_s=timeout_s)

    def _outdated(self, entry: Entry | None, now: float) -> Page:
        if entry is None:
            raise unavailable()
        headers = {"age": str(max(0, int(now - entry.at))), STALE_HEADER: "perimee"}
        return Page(_with(entry.answer, headers), stale_since=entry.at)


def _with(answer: Answer, headers: dict[str, str]) -> Answer:
    return Answer(answer.status, answer.body, {**answer.headers, **headers})


def _key(url: str) -> str:
    return "page:" + hashlib.sha256(url.encode()).hexdigest()


def _encode(entry: Entry) -> bytes:
    head = {"g": entry.generation, "at": entry.at, "status": entry.answer.status, "headers": dict(entry.answer.headers)}
    return orjson.dumps(head) + b"\n" + entry.answer.body


def _decode(raw: Any) -> Entry:
    head, _, body = raw.partition(b"\n")
    found = orjson.loads(head)
    return Entry(found["g"], found["at"], Answer(found["status"], body, found["headers"]))
