"""What ./place says while it works: a line per step, with the time since the start."""

import sys
import time


class Steps:
    """``[ 3,4 s] text`` on stderr, so that stdout holds only results."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self._start

    def say(self, text: str) -> None:
        seconds = f"{self.elapsed:5.1f}".replace(".", ",")
        print(f"[{seconds} s] {text}", file=sys.stderr, flush=True)
