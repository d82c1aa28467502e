"""The embedded stack as it is on this machine: ports, workers, servers, and the environment of every process."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy import ports
from deploy.errors import Impossible
from deploy.layout import Layout
from deploy.local.servers import SERVER_PORTS, URL_VARIABLES, Server, embedded, given
from deploy.processes import CATCHER, CATCHER_MODULE, SERVERS, Process, replicas

PREFERRED_PORTS = {"gateway": 8000, CATCHER: 8025}
CATCHER_SMTP = "courrier-smtp"


@dataclass(frozen=True)
class Program:
    """One program of supervisord: its name, command line, and the variables it gets beyond the inherited ones."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    health: str | None


@dataclass(frozen=True)
class Stack:
    """What ``up`` runs. ``workers``: number of workers by service, 1 when absent."""

    layout: Layout
    ports: Mapping[str, int]
    workers: Mapping[str, int]

    @property
    def external(self) -> dict[str, str]:
        """URLs of servers that are somebody else's, by name."""
        return given()

    @property
    def servers(self) -> list[Server]:
        return embedded(self.layout.data, self.ports, [name for name in SERVERS if name not in self.external])

    @property
    def catches_mail(self) -> bool:
        return not os.environ.get("SMTP_URL")

    @property
    def public_url(self) -> str:
        # « localhost » and not 127.0.0.1: browsers accept Secure cookies over plain HTTP from this name.
        return os.environ.get("PUBLIC_URL") or f"http://localhost:{self.ports['gateway']}"

    @property
    def catcher_url(self) -> str | None:
        return f"http://localhost:{self.ports[CATCHER]}" if self.catches_mail else None

    def urls(self) -> dict[str, str]:
        """The variables that every process may get."""
        here = {server.name: server.url for server in self.servers}
        urls = {URL_VARIABLES[name]: url for name, url in {**self.external, **here}.items()}
        smtp = os.environ.get("SMTP_URL") or f"smtp://127.0.0.1:{self.ports[CATCHER_SMTP]}"
        return {**urls, "PUBLIC_URL": self.public_url, "SMTP_URL": smtp}

    def environment(self, process: Process, program: str) -> dict[str, str]:
        """The environment of one process: its servers, its port, only its secrets, only the peers it calls."""
        urls = self.urls()
        return {
            **{name: urls[name] for name in ("MONGO_URL", "REDIS_URL", "KAFKA_URL", "PUBLIC_URL")},
            **({"SMTP_URL": urls["SMTP_URL"]} if process.smtp else {}),
            **{f"{peer.upper()}_URL": f"http://127.0.0.1:{self.ports[f'{peer}-api']}" for peer in process.peers},
            "HOST": "127.0.0.1",
            "PORT": str(self.ports[program]),
            "SECRETS_DIR": ",".join(str(self.layout.secrets / folder) for folder in process.secrets),
            "PYTHONUNBUFFERED": "1",
        }

    def programs(self) -> list[Program]:
        """Everything that supervisord runs, servers first."""
        programs = [Program(server.name, tuple(server.command()), server.environment, None) for server in self.servers]
        if self.catches_mail:
            page = self.ports[CATCHER]
            variables = {
                "HOST": "127.0.0.1",
                "PORT": str(page),
                "SMTP_PORT": str(self.ports[CATCHER_SMTP]),
                "DOSSIER": str(self.layout.data / CATCHER),
            }
            programs.append(
                Program(
                    CATCHER, (sys.executable, "-m", CATCHER_MODULE), variables, f"http://127.0.0.1:{page}/sante/vivant"
                )
            )
        for name, process in replicas(dict(self.workers)):
            health = f"http://127.0.0.1:{self.ports[name]}/sante/pret"
            variables = self.environment(process, name)
            programs.append(Program(name, (sys.executable, *process.arguments), variables, health))
        return programs


def port_names(workers: Mapping[str, int]) -> list[str]:
    """Every name that needs a port."""
    servers = [port for name in SERVERS for port in SERVER_PORTS[name]]
    return [
        "gateway",
        CATCHER,
        CATCHER_SMTP,
        *servers,
        *(name for name, _ in replicas(dict(workers)) if name != "gateway"),
    ]


def load(
    layout: Layout,
    wished: Mapping[str, int] | None = None,
    running: frozenset[str] = frozenset(),
    workers: Mapping[str, int] | None = None,
) -> Stack:
    """The stack, its ports chosen (kept ones first) and saved; ``running``: names whose port our own programs hold."""
    count = dict(workers if workers is not None else load_workers(layout.workers))
    kept = ports.load(layout.ports)
    chosen = ports.choose(port_names(count), kept, dict(wished or {}), PREFERRED_PORTS, running)
    if chosen != kept:
        ports.save(layout.ports, chosen)
    return Stack(layout, chosen, count)


def existing(layout: Layout) -> Stack:
    """The stack of an earlier ``up``, nothing chosen. Raises Impossible when there never was one."""
    kept = ports.load(layout.ports)
    count = load_workers(layout.workers)
    if not set(port_names(count)) <= set(kept):
        raise Impossible("La plateforme n’a jamais été démarrée ici : lancez « ./place up ».")
    return Stack(layout, kept, count)


def load_workers(path: Path) -> dict[str, int]:
    if not path.exists():
        return {}
    try:
        return {str(service): int(count) for service, count in json.loads(path.read_text()).items()}
    except (ValueError, AttributeError, TypeError) as error:
        raise Impossible(f"{path} est illisible ({error}) : supprimez ce fichier, il sera refait.") from error


def save_workers(path: Path, workers: Mapping[str, int]) -> None:
    fresh = path.with_suffix(".tmp")
    fresh.write_text(json.dumps(dict(sorted(workers.items()))) + "\n")
    fresh.replace(path)
