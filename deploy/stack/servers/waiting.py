"""Waits for a condition or a server, longer on a busy machine."""

import time
from collections.abc import Callable

from deploy.errors import Impossible

_PAUSE_S = 0.1
_TURN_S = 0.1
_LONGEST = 10


class Patience:
    """A deadline of `seconds`, extended up to tenfold on a busy machine.

    The caller checks its condition repeatedly and calls `over` after each check. Few checks within the time mean that
    the machine is busy, and that whatever the caller waits for is slow too.
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
    """Calls ``answers`` until it is true. ``broken`` returns the reason why it never will be, or None.

    Raises Impossible after ``seconds`` (see Patience), or as soon as ``broken`` returns a reason.
    """
    patience = Patience(seconds)
    while not answers():
        reason = broken()
        if reason:
            raise Impossible(reason)
        if patience.over():
            raise Impossible(f"{what} ne répond toujours pas : lisez son journal avec « ./place logs ».")
        time.sleep(_PAUSE_S)
