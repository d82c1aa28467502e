"""The one table of processes: the embedded stack is generated from it, compose and manifests are compared with it."""

from dataclasses import dataclass
from typing import Literal

from deploy.standins.sms_operators import NOMS

Kind = Literal["api", "worker"]
SERVERS = ("kafka", "mongo", "redis", "cache")


@dataclass(frozen=True)
class Process:
    """A process of the system.

    ``module``: run as ``python -m module kind``; ``extra``: the extra of pyproject.toml it needs, which is its
    image too; ``servers``: what it cannot work without; ``aids``: servers that it does without when it must;
    ``secrets``: the folders of secrets it may read; ``peers``: services whose API it calls, by ``<PEER>_URL``;
    ``smtp``: it hands over mails; ``sms``: it hands over SMS; ``port``: where a container serves the routes of an API.
    A worker has no routes; all show their health and metrics on HEALTH_PORT.
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
        """What follows ``python``."""
        return ("-m", self.module, self.kind)


HEALTH_PORT = 8081
"""Where every container shows /sante and /metrics."""

SERVICES = ("annonces", "moderation", "matching", "notifications")
# « sms » holds what notifications and the operators both know.
_SECRETS = {"annonces": ("commun", "annonces"), "notifications": ("commun", "notifications", "sms")}
# The text of messages and private places stay with annonces, addresses with notifications: each asks the other for
# what it must write or show.
_PEERS = {"annonces": ("notifications",), "notifications": ("annonces",)}


def _service(service: str, kind: Kind) -> Process:
    return Process(
        name=f"{service}-{kind}",
        module=f"services.{service}",
        kind=kind,
        extra=service,
        servers=("kafka", "mongo"),
        # All its processes count a provider's rate together there; alone, each counts for itself.
        aids=("redis",) if service == "notifications" else (),
        secrets=_SECRETS.get(service, ("commun",)),
        peers=_PEERS.get(service, ()),
        # The api hands over the codes of those who are waiting at the door, the worker everything else.
        smtp=service == "notifications",
        sms=service == "notifications",
        port=8080 if kind == "api" else None,
    )


PROCESSES: tuple[Process, ...] = (
    Process(
        "gateway",
        "gateway",
        "api",
        "gateway",
        servers=("kafka", "mongo", "redis"),
        # Without its pages it asks the services each time.
        aids=("cache",),
        secrets=("commun", "gateway"),
        peers=SERVICES,
        port=8000,
    ),
    *(_service(service, kind) for service in SERVICES for kind in ("api", "worker")),
)

# The catcher is no part of the system: it stands where a real mail server will, and people's phones.
CATCHER = "courrier"
CATCHER_MODULE = "deploy.standins.mailbox"

# Nor are the operators: they stand where real ones will. By what follows ``python -m module``: the name of each.
OPERATEURS_MODULE = "deploy.standins.sms_operators"
OPERATEURS = NOMS
SMSC, OPERATEUR_HTTP = NOMS["smsc"], NOMS["http"]
SMPP_UTILISATEUR = "place"
SMS_SOURCE = "PLACE"
RAPPELS = "/v1/rappels/sms/http"
"""Where the gateway takes the callbacks of the HTTP operator."""

# Stands in front of the gateways in compose, as an ingress does in Kubernetes.
ENTREE = "entree"

# Everything that the outside world would otherwise be.
STAND_INS = (CATCHER, *OPERATEURS.values())

BY_NAME = {process.name: process for process in PROCESSES}


def scalable(process: Process) -> str | None:
    """The name under which its replicas are counted: « matching » for the workers of matching, « matching-api » for its
    APIs. None for the gateway: it has one public port, and on one machine nothing stands in front of it."""
    if process.kind == "worker":
        return process.service
    return process.name if process.name != "gateway" else None


SCALABLE = tuple(name for process in PROCESSES if (name := scalable(process)))


def replicas(counts: dict[str, int]) -> list[tuple[str, Process]]:
    """(program name, process) of all that runs, ``counts[scalable(process)]`` times each (once by default).

    The first keeps the process's name; the others are ``matching-worker-2``, ``matching-worker-3``, …
    """
    programs = []
    for process in PROCESSES:
        count = counts.get(scalable(process) or "", 1)
        programs += [(process.name if n == 1 else f"{process.name}-{n}", process) for n in range(1, count + 1)]
    return programs
