"""Waiting for something: how long, and for a server to answer."""

import time
from collections.abc import Callable

from deploy.errors import Impossible

_PAUSE_S = 0.1
_TURN_S = 0.1
_LONGEST = 10


class Patience:
    """How long to wait for something: `seconds` on a machine that has time, up to ten times that on a busy one.

    Whoever waits looks again and again, and asks `over` after each look. That a machine is busy is seen by how few
    looks it had time for: what is waited for had as little.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seconds = seconds
        self._start = clock()
        self._looks = 0

    def over(self) -> bool:
        self._looks += 1
        waited = self._clock() - self._start
        return waited > self._seconds and (self._looks * _TURN_S >= self._seconds or waited > _LONGEST * self._seconds)


def wait_until(answers: Callable[[], bool], what: str, seconds: float, broken: Callable[[], str | None]) -> None:
    """Call ``answers`` until it is true. ``broken`` returns the reason why it never will be, or None.

    Raises Impossible when the patience of ``seconds`` is over, or as soon as ``broken`` gives a reason.
    """
    patience = Patience(seconds)
    while not answers():
        reason = broken()
        if reason:
            raise Impossible(reason)
        if patience.over():
            raise Impossible(f"{what} ne répond toujours pas : lisez son journal avec « ./place logs ».")
        time.sleep(_PAUSE_S)
