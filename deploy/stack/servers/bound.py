"""Run a command whose life is bound to its parent's: ``python -I -S bound.py PID_FILE COMMAND [ARGUMENT…]``.

Only the standard library, run as a plain file: it starts in a few milliseconds and then becomes the command (exec).
On Linux the kernel kills the command when the parent dies, however it dies. SIGKILL rather than SIGTERM: the parent
is gone, nobody waits for a graceful end, and the next start must find the ports free; every server here recovers
from its journal. Elsewhere (macOS) the pid file is what the next start finds leftovers by.
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
        # The parent may have died before prctl: the kernel will never tell us.
        if parent and os.getppid() != int(parent):
            sys.exit(1)
    # Kafka and mongod keep a file open per segment and collection; the soft limit of a login shell is often 256 or
    # 1024.
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    with open(pid_file, "w", encoding="utf-8") as file:
        json.dump({"pid": os.getpid(), "command": command}, file)
    os.execvp(command[0], command)  # noqa: S606 (becoming the command is the whole point)


if __name__ == "__main__":
    main()
