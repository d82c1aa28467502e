"""The notifications worker of these tests: a process of its own each time, that may be killed at any moment.

It is forked from a process that has imported everything: fifty starts from nothing would take longer than all the rest.
From there it runs what `python -m services.notifications worker` runs.
"""

import asyncio
import ctypes
import multiprocessing
import os
import signal
import sys
from collections.abc import Mapping
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from kit.lifecycle import main
from services.notifications.app import create
from services.notifications.settings import SERVICE, Reglages
from services.notifications.worker import start

_PR_SET_PDEATHSIG = 1


def _vivre(environnement: Mapping[str, str], journal: str) -> None:
    # Whatever becomes of the test, nothing stays behind.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    os.environ.update(environnement)
    sys.argv[1:] = ["worker"]
    fd = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for sortie in (1, 2):
        os.dup2(fd, sortie)
    main(SERVICE, Reglages, create, start)


class Ouvrier:
    """One life at a time. `environnement`: the variables of the process; `journal`: what all lives say."""

    def __init__(self, environnement: Mapping[str, str], journal: Path) -> None:
        self._environnement = {**os.environ, **environnement}
        self.journal = journal
        self._contexte = multiprocessing.get_context("forkserver")
        self._contexte.set_forkserver_preload([__name__])
        self._vie: ForkServerProcess | None = None

    def demarrer(self) -> None:
        self._vie = self._contexte.Process(target=_vivre, args=(self._environnement, str(self.journal)), daemon=True)
        self._vie.start()

    def frapper(self) -> None:
        """SIGKILL, now."""
        assert self._vie is not None
        assert self._vie.exitcode is None, f"the worker ended by itself: {self.journal}"
        self._vie.kill()

    async def fin(self) -> int | None:
        """Its exit code, once it has ended."""
        assert self._vie is not None
        await asyncio.to_thread(self._vie.join)
        return self._vie.exitcode

    async def arreter(self) -> None:
        if self._vie is not None:
            self._vie.kill()
            await self.fin()
