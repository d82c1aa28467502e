"""State of the embedded stack: ports, replicas, servers, and the environment of every process."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.errors import Impossible
from deploy.layout import Layout
from deploy.stack import ports
from deploy.stack.processes import (
    CATCHER,
    CATCHER_MODULE,
    DOMAINE_ENTRANT,
    ENTRANT,
    OPERATEUR_HTTP,
    OPERATEURS,
    OPERATEURS_MODULE,
    RAPPELS,
    SERVERS,
    SMPP_UTILISATEUR,
    SMS_SOURCE,
    SMSC,
    STAND_INS,
    Process,
    replicas,
)
from deploy.stack.servers.servers import SERVER_PORTS, URL_VARIABLES, Server, embedded, given

PREFERRED_PORTS = {"gateway": 8000, CATCHER: 8025}
CATCHER_SMTP = "courrier-smtp"
SMSC_SMPP = "smsc-smpp"
# Ports of the programs whose port is not named like the program.
PORTS_OF = {**SERVER_PORTS, CATCHER: (CATCHER, CATCHER_SMTP), SMSC: (SMSC, SMSC_SMPP)}
# Variables for external SMS operators. The first two enable them; the others are secrets, and may be files of
# SECRETS_DIR.
SMS_VARIABLES = ("SMPP_URL", "SMS_HTTP_URL", "SMPP_MOT_DE_PASSE", "SMS_HTTP_CLE", "SMS_HTTP_SECRET")


@dataclass(frozen=True)
class Program:
    """A program of supervisord: name, command line, and variables added to the inherited environment."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    health: str | None


@dataclass(frozen=True)
class Stack:
    """What ``up`` runs. ``counts``: number of replicas by name, as in ``replicas``."""

    layout: Layout
    ports: Mapping[str, int]
    counts: Mapping[str, int]

    @property
    def external(self) -> dict[str, str]:
        """URLs of external servers, by name."""
        return given()

    @property
    def servers(self) -> list[Server]:
        return embedded(self.layout.data, self.ports, [name for name in SERVERS if name not in self.external])

    @property
    def catches_mail(self) -> bool:
        return not os.environ.get("SMTP_URL")

    @property
    def catches_sms(self) -> bool:
        """True when both operators are our stand-ins: SMS for a real operator must never go to a stand-in."""
        return not any(os.environ.get(name) for name in SMS_VARIABLES[:2])

    @property
    def inbound_domain(self) -> str:
        """The domain of the addresses to which people answer; "" where nothing would bring their mail here."""
        return os.environ.get("DOMAINE_ENTRANT") or (DOMAINE_ENTRANT if self.catches_mail else "")

    @property
    def public_url(self) -> str:
        # "localhost" rather than 127.0.0.1, because browsers accept Secure cookies over plain HTTP only from this name.
        return os.environ.get("PUBLIC_URL") or f"http://localhost:{self.ports['gateway']}"

    @property
    def catcher_url(self) -> str | None:
        return f"http://localhost:{self.ports[CATCHER]}" if self.catches_mail else None

    @property
    def phones_url(self) -> str | None:
        """The page of the catcher that shows the phones."""
        return f"http://localhost:{self.ports[CATCHER]}/telephones" if self.catches_sms else None

    @property
    def operator_urls(self) -> dict[str, str]:
        """Name → HTTP URL of each stand-in operator: faults, inbound SMS, health."""
        if not self.catches_sms:
            return {}
        return {name: f"http://127.0.0.1:{self.ports[name]}" for name in OPERATEURS.values()}

    def sms(self) -> dict[str, str]:
        """Variables of a process that sends SMS. The credentials for the HTTP operator are in SECRETS_DIR."""
        if not self.catches_sms:
            return {name: os.environ[name] for name in SMS_VARIABLES if os.environ.get(name)}
        file = self.layout.secrets / "sms" / "smpp_mot_de_passe"
        # The secret does not exist before the first start.
        password = file.read_text().strip() if file.exists() else ""
        access = f"{SMPP_UTILISATEUR}:{password}@127.0.0.1:{self.ports[SMSC_SMPP]}"
        return {
            "SMPP_URL": f"smpp://{access}?source={SMS_SOURCE}",
            "SMS_HTTP_URL": f"{self.operator_urls[OPERATEUR_HTTP]}/messages",
            # SMS to the stand-in phones disturb nobody, so quiet hours are off: a demo on Sunday shows the same as on
            # Monday.
            "SMS_A_TOUTE_HEURE": os.environ.get("SMS_A_TOUTE_HEURE") or "1",
        }

    def urls(self) -> dict[str, str]:
        """The variables that any process may get."""
        here = {server.name: server.url for server in self.servers}
        urls = {URL_VARIABLES[name]: url for name, url in {**self.external, **here}.items()}
        smtp = os.environ.get("SMTP_URL") or f"smtp://127.0.0.1:{self.ports[CATCHER_SMTP]}"
        return {**urls, "PUBLIC_URL": self.public_url, "SMTP_URL": smtp}

    def environment(self, process: Process, program: str) -> dict[str, str]:
        """The environment of one process: only the servers, ports, secrets and peers it needs."""
        urls = self.urls()
        return {
            **{name: urls[name] for name in ("MONGO_URL", "REDIS_URL", "KAFKA_URL", "PUBLIC_URL")},
            **({"CACHE_URL": urls["CACHE_URL"]} if "cache" in process.aids else {}),
            **({"SMTP_URL": urls["SMTP_URL"], "DOMAINE_ENTRANT": self.inbound_domain} if process.smtp else {}),
            **(self.sms() if process.sms else {}),
            **{f"{peer.upper()}_URL": ",".join(self._api_urls(peer)) for peer in process.peers},
            "HOST": "127.0.0.1",
            **({"PORT": str(self.ports[program])} if process.port else {}),
            "HEALTH_PORT": str(self.ports[health_port(program)]),
            "SECRETS_DIR": ",".join(str(self.layout.secrets / folder) for folder in process.secrets),
            "PYTHONUNBUFFERED": "1",
        }

    def _api_urls(self, service: str) -> list[str]:
        programs = [name for name, process in replicas(dict(self.counts)) if process.name == f"{service}-api"]
        return [f"http://127.0.0.1:{self.ports[program]}" for program in programs]

    def health_url(self, program: str) -> str:
        """Where a process serves /sante and /metrics."""
        return f"http://127.0.0.1:{self.ports[health_port(program)]}"

    def programs(self) -> list[Program]:
        """All programs of supervisord, servers first."""
        programs = [Program(server.name, tuple(server.command()), server.environment, None) for server in self.servers]
        if self.catches_mail or self.catches_sms:
            programs.append(self._catcher())
        if self.catches_sms:
            programs += [self._operator(kind, name) for kind, name in OPERATEURS.items()]
        for name, process in replicas(dict(self.counts)):
            health = f"{self.health_url(name)}/sante/pret"
            variables = self.environment(process, name)
            programs.append(Program(name, (sys.executable, *process.arguments), variables, health))
        return programs

    def _catcher(self) -> Program:
        variables = {
            "SMTP_PORT": str(self.ports[CATCHER_SMTP]),
            "DOSSIER": str(self.layout.data / CATCHER),
            "ENTRANT": f"127.0.0.1:{self.ports[ENTRANT]}",
            "OPERATEURS": ",".join(f"{name}={url}" for name, url in self.operator_urls.items()),
        }
        return self._stand_in(CATCHER, (CATCHER_MODULE,), variables)

    def _operator(self, kind: str, name: str) -> Program:
        variables = {
            "CATCHER_URL": f"http://127.0.0.1:{self.ports[CATCHER]}",
            "DOSSIER": str(self.layout.data / name),
            "EXPEDITEUR": SMS_SOURCE,
            "SECRETS_DIR": str(self.layout.secrets / "sms"),
        }
        if name == SMSC:
            variables |= {"SMPP_PORT": str(self.ports[SMSC_SMPP]), "SMPP_UTILISATEUR": SMPP_UTILISATEUR}
        else:
            # Not PUBLIC_URL, which may be the address of a proxy outside; the gateway is on this machine.
            variables["RAPPEL_URL"] = f"http://127.0.0.1:{self.ports['gateway']}{RAPPELS}"
        return self._stand_in(name, (OPERATEURS_MODULE, kind), variables)

    def _stand_in(self, name: str, module: tuple[str, ...], variables: Mapping[str, str]) -> Program:
        port = self.ports[name]
        return Program(
            name,
            (sys.executable, "-m", *module),
            {"HOST": "127.0.0.1", "PORT": str(port), "PYTHONUNBUFFERED": "1", **variables},
            f"http://127.0.0.1:{port}/sante/vivant",
        )


def health_port(program: str) -> str:
    """Name of the port on which a program serves health and metrics."""
    return f"{program}-sante"


def port_names(counts: Mapping[str, int]) -> list[str]:
    """All names that need a port."""
    servers = [port for name in SERVERS for port in SERVER_PORTS[name]]
    return [
        "gateway",
        *(port for name in STAND_INS for port in PORTS_OF.get(name, (name,))),
        *servers,
        *(
            name
            for program, process in replicas(dict(counts))
            for name in (*([program] if process.port else []), health_port(program))
            if name != "gateway"
        ),
    ]


def load(
    layout: Layout,
    wished: Mapping[str, int] | None = None,
    running: frozenset[str] = frozenset(),
    counts: Mapping[str, int] | None = None,
) -> Stack:
    """Returns the stack after choosing its ports (those used before, if possible) and saving them. ``running``: names
    whose port is in use by our own programs."""
    count = dict(counts if counts is not None else load_counts(layout.counts))
    kept = ports.load(layout.ports)
    chosen = ports.choose(port_names(count), kept, dict(wished or {}), PREFERRED_PORTS, running)
    if chosen != kept:
        ports.save(layout.ports, chosen)
    return Stack(layout, chosen, count)


def existing(layout: Layout) -> Stack:
    """The stack saved by an earlier ``up``. Raises Impossible when there is none."""
    kept = ports.load(layout.ports)
    count = load_counts(layout.counts)
    if not set(port_names(count)) <= set(kept):
        raise Impossible("La plateforme n’a jamais été démarrée ici : lancez « ./place up ».")
    return Stack(layout, kept, count)


def load_counts(path: Path) -> dict[str, int]:
    if not path.exists():
        return {}
    try:
        return {str(service): int(count) for service, count in json.loads(path.read_text()).items()}
    except (ValueError, AttributeError, TypeError) as error:
        raise Impossible(f"{path} est illisible ({error}) : supprimez ce fichier, il sera refait.") from error


def save_counts(path: Path, counts: Mapping[str, int]) -> None:
    fresh = path.with_suffix(".tmp")
    fresh.write_text(json.dumps(dict(sorted(counts.items()))) + "\n")
    fresh.replace(path)
