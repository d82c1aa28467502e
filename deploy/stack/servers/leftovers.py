"""Processes that a dead parent left behind, found by the pid files that bound.py wrote."""

import json
import sys
from pathlib import Path

import psutil

BOUND = Path(__file__).with_name("bound.py")


def bound(name: str, pids: Path, command: list[str]) -> list[str]:
    """``command`` wrapped so that it dies with its parent; its pid file is ``pids/<name>.pid``."""
    return [sys.executable, "-I", "-S", str(BOUND), str(pids / f"{name}.pid"), *command]


def sweep(pids: Path) -> list[str]:
    """Kill what is still alive from a start whose parent is gone, and remove the pid files. Returns the names killed.

    A process is ours only if its command line is the recorded one: pids are reused.
    """
    killed: list[str] = []
    for file in sorted(pids.glob("*.pid")):
        try:
            noted = json.loads(file.read_text())
            process = psutil.Process(int(noted["pid"]))
            if process.cmdline()[1:] == noted["command"][1:] and process.status() != psutil.STATUS_ZOMBIE:
                process.kill()
                process.wait(10)
                killed.append(file.stem)
        except (ValueError, KeyError, TypeError):
            # supervisord's own pid file is a bare number, and a crash can leave a half-written one: nothing to kill.
            pass
        except psutil.NoSuchProcess:
            pass
        file.unlink(missing_ok=True)
    return killed
