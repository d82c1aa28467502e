"""The table of processes. The embedded stack is generated from it; tests compare compose and manifests with it."""

from dataclasses import dataclass
from typing import Literal

from deploy.standins.sms_operators import NOMS

Kind = Literal["api", "worker", "entrant"]
SERVERS = ("kafka", "mongo", "redis", "cache")


@dataclass(frozen=True)
class Process:
    """A process of the system, run as ``python -m module kind``.

    ``extra``: its extra of pyproject.toml, and its image. ``servers``: servers it cannot work without. ``aids``:
    servers it can do without. ``secrets``: folders of secrets it may read. ``peers``: services whose API it calls,
    through ``<PEER>_URL``. ``smtp``, ``sms``: it sends mails, SMS. ``port``: port of its API, or of the
    SMTP server of « entrant », in a container; workers have none. All serve health and metrics on HEALTH_PORT.
    """

    name: str
    module: str
    kind: Kind
    extra: str
    servers: tuple[str, ...]
    aids: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ("commun",)
    peers: tuple[str, ...] = ()
    smtp: bool = False
    sms: bool = False
    port: int | None = None

    @property
    def service(self) -> str:
        return self.extra

    @property
    def arguments(self) -> tuple[str, ...]:
        """Arguments of ``python``."""
        return ("-m", self.module, self.kind)


HEALTH_PORT = 8081
"""Port of /sante and /metrics in every container."""

SERVICES = ("annonces", "moderation", "matching", "notifications")
# The folder "sms" has the secrets shared by notifications and the operators.
_SECRETS = {"annonces": ("commun", "annonces"), "notifications": ("commun", "notifications", "sms")}
# annonces stores messages and private places, notifications stores addresses: each asks the other for what it must
# send or show.
_PEERS = {"annonces": ("notifications",), "notifications": ("annonces",)}


_PORTS: dict[Kind, int] = {"api": 8080, "entrant": 2525}


def _secrets(service: str, kind: Kind) -> tuple[str, ...]:
    """Whom everybody may connect to has only what it needs to take mail and to answer by mail."""
    folders = _SECRETS.get(service, ("commun",))
    return tuple(folder for folder in folders if folder != "sms") if kind == "entrant" else folders


def _service(service: str, kind: Kind) -> Process:
    return Process(
        name=f"{service}-{kind}",
        module=f"services.{service}",
        kind=kind,
        extra=service,
        servers=("kafka", "mongo"),
        # Redis lets all processes share the rate limit of a provider; without it, each process counts alone.
        aids=("redis",) if service == "notifications" else (),
        secrets=_secrets(service, kind),
        peers=_PEERS.get(service, ()),
        # The API sends sign-in codes, because people wait for them; the worker sends everything else.
        smtp=service == "notifications",
        sms=service == "notifications" and kind != "entrant",
        port=_PORTS.get(kind),
    )


PROCESSES: tuple[Process, ...] = (
    Process(
        "gateway",
        "gateway",
        "api",
        "gateway",
        servers=("kafka", "mongo", "redis"),
        # Without its page cache it asks the services each time.
        aids=("cache",),
        secrets=("commun", "gateway"),
        peers=SERVICES,
        port=8000,
    ),
    *(_service(service, kind) for service in SERVICES for kind in ("api", "worker")),
    # Apart from the others: the whole internet may connect to it.
    _service("notifications", "entrant"),
)

DOMAINE_ENTRANT = "reponses.place-des-assos.example"
"""Whose mail the embedded stack takes: addresses in mails end with it, and nobody else in the world has it."""
ENTRANT = "notifications-entrant"

# The catcher is not part of the system: it replaces a real mail server and people's phones.
CATCHER = "courrier"
CATCHER_MODULE = "deploy.standins.mailbox"

# Stand-ins for real SMS operators: argument of ``python -m module`` → name.
OPERATEURS_MODULE = "deploy.standins.sms_operators"
OPERATEURS = NOMS
SMSC, OPERATEUR_HTTP = NOMS["smsc"], NOMS["http"]
SMPP_UTILISATEUR = "place"
SMS_SOURCE = "PLACE"
RAPPELS = "/v1/rappels/sms/http"
"""Path of the gateway for callbacks of the HTTP operator."""

# In compose it is in front of the gateways, like an ingress in Kubernetes.
ENTREE = "entree"

# All programs that replace the outside world.
STAND_INS = (CATCHER, *OPERATEURS.values())

BY_NAME = {process.name: process for process in PROCESSES}


def scalable(process: Process) -> str | None:
    """The name used to count its replicas: "matching" for workers of matching, "matching-api" for its APIs.

    None for the gateway, which has one public port and no load balancer on one machine.
    """
    if process.kind == "worker":
        return process.service
    return process.name if process.name != "gateway" else None


SCALABLE = tuple(name for process in PROCESSES if (name := scalable(process)))


def replicas(counts: dict[str, int]) -> list[tuple[str, Process]]:
    """(program name, process) for every program: ``counts[scalable(process)]`` replicas each (1 by default).

    The first has the name of the process; the others are ``matching-worker-2``, ``matching-worker-3``, …
    """
    programs = []
    for process in PROCESSES:
        count = counts.get(scalable(process) or "", 1)
        programs += [(process.name if n == 1 else f"{process.name}-{n}", process) for n in range(1, count + 1)]
    return programs
