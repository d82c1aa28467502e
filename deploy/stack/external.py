"""External servers, given by URL."""

import socket

from deploy.errors import Impossible

_DEFAULT_PORTS = {"MONGO_URL": 27017, "REDIS_URL": 6379, "KAFKA_URL": 9092, "CACHE_URL": 6379}


def hosts(url: str) -> str:
    """The "host:port,…" of a URL, without user and password."""
    return url.split("://", 1)[-1].split("/", 1)[0].split("?", 1)[0].rsplit("@", 1)[-1]


def check(variable: str, url: str) -> None:
    """Raises Impossible when no host accepts a connection. A DNS seed list (mongodb+srv) is left to its driver."""
    if url.startswith("mongodb+srv://"):
        return
    for host in hosts(url).split(","):
        name, _, port = host.rpartition(":") if ":" in host else (host, "", "")
        try:
            with socket.create_connection((name.strip("[]"), int(port or _DEFAULT_PORTS[variable])), timeout=3):
                return
        except (OSError, ValueError):
            continue
    raise Impossible(f"{variable} désigne {hosts(url)}, qui ne répond pas : corrigez cette variable ou retirez-la.")
