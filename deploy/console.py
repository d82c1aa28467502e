"""Progress messages of ./place: one line per step, with the time since the start."""

import os
import sys
import time


class Steps:
    """Prints "[ 3,4 s] text" on stderr, so that stdout contains only results."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self._start

    def say(self, text: str) -> None:
        seconds = f"{self.elapsed:5.1f}".replace(".", ",")
        try:
            print(f"[{seconds} s] {text}", file=sys.stderr, flush=True)
        except BrokenPipeError:
            # As in "./place down 2>&1 | head": the reader is gone, but the command must be finished.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
