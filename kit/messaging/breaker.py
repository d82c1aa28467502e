"""A circuit breaker that limits how many messages of a topic may become dead letters. Its state is in the database, so
a restart or another process does not start counting from zero.

Closed: at most `LIMIT` dead letters per `WINDOW`, or as many as there were successes; one more opens it. Open: none,
for `OPEN_FOR`. Half-open, for one `WINDOW` after that: `TRIALS` dead letters; one more opens it again, otherwise it
closes. An operator may close it by hand: nothing is limited then, for `LENIENT_FOR`.
"""

import datetime as dt
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Protocol

from kit.clock import Clock
from kit.database.mongo import Database, DuplicateKeyError
from kit.metrics import BREAKER_OPEN

LIMIT, TRIALS = 100, 10
WINDOW = dt.timedelta(minutes=1)
OPEN_FOR = dt.timedelta(minutes=10)
LENIENT_FOR = dt.timedelta(minutes=15)

# How often consumers check whether an operator has closed the open breaker.
_LOOK_AGAIN_S = 2.0


class Phase(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True)
class State:
    """State of the breaker of one topic. `buried` counts dead letters since `window_start`. Each change increments
    `revision`."""

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
    """Pure. Returns the state after a request to dead-letter one more message, and whether it is allowed. `successes`
    counts the messages processed in the last `WINDOW`."""
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
    """Storage of states: a database, or memory in tests."""

    async def load(self) -> dict[str, State]:
        """Returns topic → state, for every topic that has one."""
        ...

    async def replace(self, topic: str, state: State) -> bool:
        """Stores `state` as the next revision. Returns False when another process has stored a revision since `state`
        was read."""
        ...


class Breaker:
    def __init__(self, states: States, clock: Clock, consumer: str) -> None:
        """`consumer` is the name of the service, used as a label of the metric."""
        self._states = states
        self._clock = clock
        self._consumer = consumer

    async def admits(self, topic: str, successes: int) -> bool:
        """Counts one more dead letter of `topic` and returns whether it is allowed. Raises when the database is
        away."""
        while True:
            state = (await self._states.load()).get(topic, State())
            decided, admitted = one_more(state, self._clock.now(), successes)
            if decided == state or await self._states.replace(topic, decided):
                return admitted

    async def pause_s(self, topic: str) -> float:
        """Seconds to wait before a held message of `topic` is checked again; 0 when it may be processed now."""
        state = (await self._states.load()).get(topic, State())
        now = self._clock.now()
        if state.open_until is None or state.phase(now) is not Phase.OPEN:
            return 0.0
        return min(_LOOK_AGAIN_S, (state.open_until - now).total_seconds())

    async def measure(self) -> None:
        """Updates the gauge; called before each scrape of /metrics."""
        for topic, state in (await self._states.load()).items():
            BREAKER_OPEN.labels(topic, self._consumer).set(state.phase(self._clock.now()) is Phase.OPEN)


class MongoStates:
    """Stores each state in the collection `breakers` as {_id: topic, …fields of State}."""

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
