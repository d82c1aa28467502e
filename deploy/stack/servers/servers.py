"""The three servers together, for tests and for ./place::

    with Servers(tmp_path) as servers:
        servers.urls  # {"MONGO_URL": …, "REDIS_URL": …, "KAFKA_URL": …}

Start them from the main thread and not from an executor: on Linux they are killed when the *thread* that started
them ends.
"""

import os
import shutil
import subprocess
from collections.abc import Collection, Mapping
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from deploy import layout
from deploy.errors import Impossible
from deploy.stack import ports
from deploy.stack.servers.kafka import Kafka
from deploy.stack.servers.leftovers import bound, sweep
from deploy.stack.servers.mongo import Mongo
from deploy.stack.servers.redis import Redis, cache
from deploy.stack.servers.waiting import wait_until

URL_VARIABLES = {"mongo": "MONGO_URL", "redis": "REDIS_URL", "kafka": "KAFKA_URL", "cache": "CACHE_URL"}
SERVER_PORTS = {"mongo": ("mongo",), "redis": ("redis",), "cache": ("cache",), "kafka": ("kafka", "kafka-controleur")}
_STOP_S = 20.0


class Server(Protocol):
    """What every embedded server provides."""

    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def start_seconds(self) -> float: ...
    @property
    def port(self) -> int: ...
    @property
    def url(self) -> str: ...
    @property
    def environment(self) -> dict[str, str]: ...
    def prepare(self) -> None: ...
    def command(self) -> list[str]: ...
    def answers(self) -> bool: ...
    def version(self) -> str: ...


def given() -> dict[str, str]:
    """URLs set in the environment, by server name: these servers are external."""
    return {name: os.environ[variable] for name, variable in URL_VARIABLES.items() if os.environ.get(variable)}


def embedded(data: Path, chosen: Mapping[str, int], names: Collection[str]) -> list[Server]:
    """The servers of ``names``, Kafka first because it takes longest to start."""
    servers: list[Server] = []
    if "kafka" in names:
        servers.append(Kafka(data / "kafka", chosen["kafka"], chosen["kafka-controleur"], layout.cache()))
    if "mongo" in names:
        servers.append(Mongo(data / "mongo", chosen["mongo"]))
    if "redis" in names:
        servers.append(Redis(data / "redis", chosen["redis"]))
    if "cache" in names:
        servers.append(cache(data / "cache", chosen["cache"]))
    return servers


class Servers:
    """Starts the servers on entering and stops them on leaving; all files are below ``data_dir``.

    ``ports``: by name (mongo, redis, kafka, kafka-controleur), free ones by default. ``only``: start some of the
    servers. A server whose URL variable is set in the environment is not started; ``urls`` then contains that URL.
    Raises Impossible with one sentence on what to install.
    """

    def __init__(
        self,
        data_dir: Path,
        ports: Mapping[str, int] | None = None,
        only: Collection[str] = ("kafka", "mongo", "redis"),
    ) -> None:
        self._folder = Path(data_dir)
        self._wished = dict(ports or {})
        self._given = {name: url for name, url in given().items() if name in only}
        self._names = [name for name in only if name not in self._given]
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._servers: dict[str, Server] = {}

    @property
    def urls(self) -> dict[str, str]:
        """URL variable → address, for the environment of a process."""
        here = {name: server.url for name, server in self._servers.items()}
        return {URL_VARIABLES[name]: url for name, url in {**self._given, **here}.items()}

    def __enter__(self) -> Self:
        for folder in ("logs", "pids"):
            (self._folder / folder).mkdir(parents=True, exist_ok=True)
        sweep(self._folder / "pids")
        wanted = [port for name in self._names for port in SERVER_PORTS[name]]
        chosen = ports.choose(wanted, {}, self._wished, {})
        self._servers = {server.name: server for server in embedded(self._folder, chosen, self._names)}
        try:
            for server in self._servers.values():
                server.prepare()
                self._spawn(server)
            for name in self._servers:
                self.wait(name)
        except BaseException:
            self._stop_all()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._stop_all()

    def start(self, name: str) -> None:
        """Starts a stopped server again on its port and waits until it answers."""
        self._spawn(self._servers[name])
        self.wait(name)

    def stop(self, name: str) -> None:
        """Stops one server gracefully; SIGKILL after 20 s."""
        self._end(self._children[name])

    def kill(self, name: str) -> None:
        """Kills one server with SIGKILL."""
        self._children[name].kill()
        self._children[name].wait()

    def lose(self, name: str) -> None:
        """Kills one server, deletes its data, and starts it empty on its port."""
        self.kill(name)
        shutil.rmtree(self._folder / name)
        self._servers[name].prepare()
        self.start(name)

    def wait(self, name: str) -> None:
        """Waits until a server answers. Raises Impossible with the end of its log when it ended instead."""
        server, child = self._servers[name], self._children[name]

        def broken() -> str | None:
            if child.poll() is None:
                return None
            tail = " / ".join(self._log(name).read_text(errors="replace").strip().splitlines()[-3:])
            return (
                f"{server.title} s’est arrêté au démarrage (code {child.returncode}) : {tail or 'journal vide'}. "
                f"Corrigez la cause, ou donnez l’adresse d’un serveur existant dans {URL_VARIABLES[name]}."
            )

        wait_until(server.answers, server.title, server.start_seconds, broken)

    def _log(self, name: str) -> Path:
        return self._folder / "logs" / f"{name}.log"

    def _spawn(self, server: Server) -> None:
        with self._log(server.name).open("ab") as log:
            self._children[server.name] = subprocess.Popen(
                bound(server.name, self._folder / "pids", server.command()),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **server.environment, "PLACE_PARENT": str(os.getpid())},
                # Ctrl-C in the terminal is for pytest only; the servers are stopped after it has closed its
                # connections.
                start_new_session=True,
            )

    def _stop_all(self) -> None:
        for child in self._children.values():
            if child.poll() is None:
                child.terminate()
        for child in self._children.values():
            self._end(child)
        self._children.clear()

    @staticmethod
    def _end(child: subprocess.Popen[bytes]) -> None:
        if child.poll() is None:
            child.terminate()
        try:
            child.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


__all__ = ["SERVER_PORTS", "URL_VARIABLES", "Impossible", "Server", "Servers", "embedded", "given"]
