"""The clock is a parameter everywhere, so that rules about time can be tested."""

import datetime as dt
from typing import Protocol


class Clock(Protocol):
    def now(self) -> dt.datetime:
        """The current time as an aware UTC datetime, truncated to the millisecond, which is what Mongo stores."""
        ...


class SystemClock:
    def now(self) -> dt.datetime:
        now = dt.datetime.now(dt.UTC)
        return now.replace(microsecond=now.microsecond // 1000 * 1000)


class FixedClock:
    """A clock for tests: it moves only when `advance` is called."""

    def __init__(self, at: dt.datetime) -> None:
        self.at = at

    def now(self) -> dt.datetime:
        return self.at

    def advance(self, **delta: float) -> None:
        """Moves forward by `timedelta(**delta)`."""
        self.at += dt.timedelta(**delta)
