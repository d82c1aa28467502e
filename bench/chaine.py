"""Starts and stops the processes of the bare chain."""

import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from functools import partial
from types import TracebackType
from typing import Self

from bench.nu import ECRITURES
from deploy.layout import ROOT
from deploy.stack.servers.waiting import wait_until


class ChaineNue:
    """`urls`: MONGO_URL, KAFKA_URL, SMTP_URL. Create its topics first (see `topics`)."""

    def __init__(self, urls: Mapping[str, str], prefixe: str, *, groupe: bool) -> None:
        self._urls = {**urls, "NU_GROUPE": "1" if groupe else "0"}
        self.prefixe = prefixe
        self._children: list[subprocess.Popen[bytes]] = []
        self._port, self._service_port = _free_ports()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/"

    @property
    def topics(self) -> list[str]:
        return [f"nu.{self.prefixe}.{etape.ecrit}" for etape in ECRITURES.values() if etape.ecrit]

    def __enter__(self) -> Self:
        common = {
            **os.environ,
            **self._urls,
            "NU_PREFIXE": self.prefixe,
            "NU_SERVICE_URL": f"http://127.0.0.1:{self._service_port}/",
        }
        for nom in ("porte", *ECRITURES):
            port = str(self._port if nom == "porte" else self._service_port)
            command = [sys.executable, "-m", "bench.nu", nom]
            self._children.append(subprocess.Popen(command, cwd=ROOT, env={**common, "PORT": port}))
        try:
            for listening in (self._port, self._service_port):
                wait_until(partial(_listens, listening), "la chaîne nue", 30, self._mort)
        except BaseException:
            self._tuer()
            raise
        return self

    def _mort(self) -> str | None:
        """Detects a process that ended, for example because its port was taken: the other chain would answer in its
        place."""
        return "un de ses processus s’est arrêté" if any(c.poll() is not None for c in self._children) else None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._tuer()

    def _tuer(self) -> None:
        for child in self._children:
            child.kill()
        for child in self._children:
            child.wait()


def _free_ports() -> tuple[int, int]:
    """Both sockets are open at the same time, so that the ports differ."""
    with socket.socket() as one, socket.socket() as other:
        for probe in (one, other):
            probe.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
