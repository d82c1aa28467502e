"""Runs a command that ends with its parent: ``python -I -S bound.py PID_FILE COMMAND [ARGUMENT…]``.

Uses only the standard library and runs as a plain file, so that it starts within milliseconds; then it becomes the
command (exec).

On Linux the kernel kills the command when the parent dies for any reason. It sends SIGKILL rather than SIGTERM, because
the next start must find the ports free, and every server here recovers from its journal. On other systems (macOS) the
next start finds leftovers by their pid files.
"""

import ctypes
import json
import os
import resource
import signal
import sys

_PR_SET_PDEATHSIG = 1
_OPEN_FILES = 65_536


def main() -> None:
    pid_file, *command = sys.argv[1:]
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
        parent = os.environ.pop("PLACE_PARENT", "")
        # If the parent died before prctl, the kernel will not send the signal.
        if parent and os.getppid() != int(parent):
            sys.exit(1)
    # Kafka and mongod keep a file open per segment and collection; the default soft limit is often 256 or 1024.
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    with open(pid_file, "w", encoding="utf-8") as file:
        json.dump({"pid": os.getpid(), "command": command}, file)
    os.execvp(command[0], command)  # noqa: S606 (becoming the command is the whole point)


if __name__ == "__main__":
    main()
