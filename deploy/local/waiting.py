"""Wait for a server to answer: the one place where ./place polls."""

import time
from collections.abc import Callable

from deploy.errors import Impossible

_PAUSE_S = 0.1


def wait_until(answers: Callable[[], bool], what: str, seconds: float, broken: Callable[[], str | None]) -> None:
    """Call ``answers`` until it is true. ``broken`` returns the reason why it never will be, or None.

    Raises Impossible after ``seconds``, or as soon as ``broken`` gives a reason.
    """
    deadline = time.monotonic() + seconds
    while not answers():
        reason = broken()
        if reason:
            raise Impossible(reason)
        if time.monotonic() > deadline:
            raise Impossible(f"{what} ne répond pas après {seconds:.0f} s : lisez son journal avec « ./place logs ».")
        time.sleep(_PAUSE_S)
