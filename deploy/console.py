"""What ./place says while it works: a line per step, with the time since the start."""

import os
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
        try:
            print(f"[{seconds} s] {text}", file=sys.stderr, flush=True)
        except BrokenPipeError:
            # « ./place down 2>&1 | head »: nobody reads any more, but what was begun is finished.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
