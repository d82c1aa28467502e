"""Public answers for visitors, kept in Redis: fresh for seconds, shown with a warning for minutes in an outage."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import orjson

from gateway.memory import Memory, MemoryAway, Store
from gateway.rules import SAFE_METHODS
from gateway.upstream import VISITOR, Answer, ServiceAway, Services
from kit.problems import unavailable

_GENERATION = "pages:generation"
# With something to show instead nobody waits long for a service that hangs.
_IMPATIENT_S = 3.0
# A service that has just failed is not waited for again by everybody: one try in this time is enough.
_PAUSE_S = 2.0
_BODY_MAX = 128 * 1024
_PAGES_KEPT = 50
_BOUNDED = {"sens", "nature", "categorie", "domaine", "quartier", "urgent", "tri", "page", "taille"}
STALE_HEADER = "x-place-fraicheur"


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

    def __init__(self, memory: Memory, fresh_s: int, stale_s: int, clock: Callable[[], float] = time.time) -> None:
        self._memory = memory
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
            await self._memory.run(lambda redis: redis.set(_key(url), _encode(entry), ex=self._kept_s))
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
        """Raises a 503 problem when the service is away and nothing is kept."""
        url = f"{path}?{query}"
        if not is_bounded(query):
            try:
                return Page(await self._services.call(service, "GET", path, VISITOR, query=query))
            except ServiceAway as error:
                raise unavailable() from error
        generation, entry = await self._pages.load(url)
        now = self._pages.clock()
        if entry is not None and entry.generation == generation and now - entry.at < self._pages.fresh_s:
            return Page(_with(entry.answer, {"age": str(max(0, int(now - entry.at)))}))
        if entry is not None and time.monotonic() < self._failing_until.get(service, 0.0):
            return self._outdated(entry, now)
        try:
            timeout_s = _IMPATIENT_S if entry is not None else None
            answer = await self._services.call(service, "GET", path, VISITOR, query=query, timeout_s=timeout_s)
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

    def _outdated(self, entry: Entry | None, now: float) -> Page:
        if entry is None:
            raise unavailable()
        headers = {"age": str(max(0, int(now - entry.at))), STALE_HEADER: "perimee"}
        return Page(_with(entry.answer, headers), stale_since=entry.at)


def is_public(method: str, path: str) -> bool:
    """True for what a visitor may read and caches may keep: the lists, the ads, the associations."""
    if method not in SAFE_METHODS:
        return False
    parts = path.strip("/").split("/")
    return parts == ["v1", "annonces"] or (
        len(parts) == 3 and parts[:2] in (["v1", "annonces"], ["v1", "associations"])
    )


def is_bounded(query: str) -> bool:
    """True for a query with few possible values: free text or coordinates would fill Redis at anybody's will."""
    try:
        given = dict(parse_qsl(query, keep_blank_values=True, max_num_fields=20))
    except ValueError:
        return False
    page = given.get("page", "1")
    return (
        given.keys() <= _BOUNDED
        and len(query) <= 300
        and page.isascii()
        and page.isdigit()
        and int(page) <= _PAGES_KEPT
    )


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
