"""Finds and kills processes left behind by a dead parent, by the pid files of bound.py."""

import json
import sys
from pathlib import Path

import psutil

BOUND = Path(__file__).with_name("bound.py")


def bound(name: str, pids: Path, command: list[str]) -> list[str]:
    """Wraps ``command`` so that it ends with its parent; its pid file is ``pids/<name>.pid``."""
    return [sys.executable, "-I", "-S", str(BOUND), str(pids / f"{name}.pid"), *command]


def sweep(pids: Path) -> list[str]:
    """Kills the processes of a start whose parent is gone, and removes the pid files. Returns the names killed.

    Because pids are reused, a process is killed only if its command line is the recorded one.
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
            # Not one of our pid files: supervisord's contains a bare number, and a crash can leave an incomplete one.
            pass
        except psutil.NoSuchProcess:
            pass
        file.unlink(missing_ok=True)
    return killed
