"""How many messages of a topic may become dead letters: a breaker whose state is in the database, so that neither a
restart nor another process begins to count anew.

Closed: `LIMIT` within `WINDOW`, or as many as there are successes; one more opens it. Open: none, for `OPEN_FOR`. Then
half-open, for one `WINDOW`: `TRIALS`; one more opens it again, else it is closed. Somebody who has looked may close it:
for `LENIENT_FOR` nothing is limited then.
"""

import datetime as dt
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Protocol

from kit.clock import Clock
from kit.metrics import BREAKER_OPEN
from kit.mongo import Database, DuplicateKeyError

LIMIT, TRIALS = 100, 10
WINDOW = dt.timedelta(minutes=1)
OPEN_FOR = dt.timedelta(minutes=10)
LENIENT_FOR = dt.timedelta(minutes=15)

# While it is open, what waits looks so often whether somebody has closed it.
_LOOK_AGAIN_S = 2.0


class Phase(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True)
class State:
    """Of one topic. `buried`: dead letters since `window_start`. `revision` is one more with each change."""

    buried: int = 0
    window_start: dt.datetime | None = None
    opened_at: dt.datetime | None = None
    open_until: dt.datetime | None = None
    lenient_until: dt.datetime | None = None
    revision: int = 0

    def phase(self, now: dt.datetime) -> Phase:
        if self.open_until is None or now >= self.open_until + WINDOW:
            return Phase.CLOSED
        return Phase.OPEN if now < self.open_until else Phase.HALF_OPEN


def one_more(state: State, now: dt.datetime, successes: int) -> tuple[State, bool]:
    """The state after somebody wanted to bury one more, and whether it may be. `successes`: in the last `WINDOW`."""
    if state.lenient_until is not None and now < state.lenient_until:
        return state, True
    phase = state.phase(now)
    if phase is Phase.OPEN:
        return state, False
    begin = state.window_start
    if begin is None or now >= begin + WINDOW or (state.open_until is not None and begin < state.open_until <= now):
        state = replace(state, buried=0, window_start=now)
    full = state.buried >= TRIALS if phase is Phase.HALF_OPEN else state.buried >= max(LIMIT, successes)
    if full:
        opened_at = now if phase is Phase.CLOSED else state.opened_at
        return replace(state, opened_at=opened_at, open_until=now + OPEN_FOR), False
    return replace(state, buried=state.buried + 1), True


def closed_by_hand(state: State, now: dt.datetime) -> State:
    return replace(state, opened_at=None, open_until=None, lenient_until=now + LENIENT_FOR)


class States(Protocol):
    """Where states are kept: in a database, or in the memory of a test."""

    async def load(self) -> dict[str, State]:
        """Topic → state, of all that were ever counted."""
        ...

    async def replace(self, topic: str, state: State) -> bool:
        """Stores the next revision; False when another has been stored since `state` was read."""
        ...


class Breaker:
    def __init__(self, states: States, clock: Clock, consumer: str) -> None:
        """`consumer` is the name of the service, for the metric."""
        self._states = states
        self._clock = clock
        self._consumer = consumer

    async def admits(self, topic: str, successes: int) -> bool:
        """Whether one more message of `topic` may be buried, which is counted. Raises when the database is away."""
        while True:
            state = (await self._states.load()).get(topic, State())
            decided, admitted = one_more(state, self._clock.now(), successes)
            if decided == state or await self._states.replace(topic, decided):
                return admitted

    async def pause_s(self, topic: str) -> float:
        """Seconds after which what waits for the breaker is to look again; 0 when it may be tried."""
        state = (await self._states.load()).get(topic, State())
        now = self._clock.now()
        if state.open_until is None or state.phase(now) is not Phase.OPEN:
            return 0.0
        return min(_LOOK_AGAIN_S, (state.open_until - now).total_seconds())

    async def measure(self) -> None:
        """Before /metrics is read."""
        for topic, state in (await self._states.load()).items():
            BREAKER_OPEN.labels(topic, self._consumer).set(state.phase(self._clock.now()) is Phase.OPEN)


class MongoStates:
    """The collection `breakers`: {_id: topic, …State}."""

    def __init__(self, db: Database) -> None:
        self._breakers = db.breakers

    async def load(self) -> dict[str, State]:
        return {document.pop("_id"): State(**document) async for document in self._breakers.find({})}

    async def replace(self, topic: str, state: State) -> bool:
        document: dict[str, Any] = {**vars(state), "revision": state.revision + 1}
        try:
            written = await self._breakers.replace_one(
                {"_id": topic, "revision": state.revision}, document, upsert=state.revision == 0
            )
        except DuplicateKeyError:
            return False
        return written.matched_count == 1 or written.upserted_id is not None
