"""Chooses free ports once and keeps them, so that URLs stay the same from one start to the next."""

import json
import random
import socket
from collections.abc import Iterable, Mapping
from pathlib import Path

from deploy.errors import Impossible

# Below the ephemeral port ranges of Linux and macOS, so that no outgoing connection takes a kept port while the stack
# is down.
_RANGE = range(20_000, 32_000)


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # With this option, which all our servers set too, a port in TIME_WAIT after a restart counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def pick(taken: Iterable[int] = ()) -> int:
    """A free port that is not in ``taken``. Raises Impossible after many attempts."""
    avoid = set(taken)
    for _ in range(500):
        port = random.choice(_RANGE)
        if port not in avoid and is_free(port):
            return port
    raise Impossible(
        f"Aucun port libre trouvé entre {_RANGE.start} et {_RANGE.stop} : fermez des programmes qui écoutent."
    )


def load(path: Path) -> dict[str, int]:
    if not path.exists():
        return {}
    try:
        return {str(name): int(port) for name, port in json.loads(path.read_text()).items()}
    except (ValueError, AttributeError, TypeError) as error:
        raise Impossible(f"{path} est illisible ({error}) : supprimez ce fichier, il sera refait.") from error


def save(path: Path, ports: Mapping[str, int]) -> None:
    fresh = path.with_suffix(".tmp")
    fresh.write_text(json.dumps(dict(sorted(ports.items())), indent=1) + "\n")
    fresh.replace(path)


def choose(
    names: Iterable[str],
    kept: Mapping[str, int],
    wished: Mapping[str, int],
    preferred: Mapping[str, int],
    ours: frozenset[str] = frozenset(),
) -> dict[str, int]:
    """Chooses a port for every name. ``wished`` ports are required (Impossible when taken), ``kept`` ports are used
    again if free, ``preferred`` ones are tried before random ones. Ports of ``ours`` are in use by our own running
    processes and are kept without a check."""
    chosen = {name: port for name, port in kept.items() if name in ours and wished.get(name, port) == port}
    for name in names:
        if name in chosen:
            continue
        taken = set(chosen.values())
        if name in wished:
            if wished[name] in taken or not is_free(wished[name]):
                raise Impossible(
                    f"Le port {wished[name]} voulu pour « {name} » est pris : choisissez-en un autre, "
                    "ou arrêtez qui l’occupe."
                )
            chosen[name] = wished[name]
            continue
        candidates = [source[name] for source in (kept, preferred) if name in source]
        chosen[name] = next((p for p in candidates if p not in taken and is_free(p)), 0) or pick(
            taken | set(wished.values())
        )
    return {**kept, **chosen}
