"""What differs between the manifests of processes. What they have in common is in the templates of modeles/."""

from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from contracts import topics
from deploy.stack.processes import HEALTH_PORT, PROCESSES, Process

FOLDER = Path(__file__).resolve().parent
# More workers than partitions would have nothing to read.
WORKERS_MAX = topics.SUR_LE_CHEMIN
_URLS = {"mongo": "MONGO_URL", "redis": "REDIS_URL", "kafka": "KAFKA_URL", "cache": "CACHE_URL"}


@dataclass(frozen=True)
class Size:
    """Requests (CPU in millicores, memory in MiB), memory limit in MiB, and the range of replicas."""

    cpu_m: int
    memory_mi: int
    limit_mi: int
    replicas: int = 2
    replicas_max: int = 6


# Idle processes take 60 to 85 MiB; a worker of matching holds all profils in memory.
_SIZES = {
    "gateway": Size(200, 128, 384, replicas_max=8),
    "matching-worker": Size(200, 256, 1024, replicas_max=WORKERS_MAX),
}


def size(process: Process) -> Size:
    default = Size(100, 128, 256) if process.port else Size(100, 128, 256, replicas_max=WORKERS_MAX)
    return _SIZES.get(process.name, default)


def callers(process: Process) -> list[str]:
    """The processes that call the API of `process`."""
    return [other.name for other in PROCESSES if process.kind == "api" and process.service in other.peers]


def port_name(process: Process) -> str:
    return "smtp" if process.kind == "entrant" else "http"


def server_urls(process: Process) -> dict[str, bool]:
    """Variables set from the secret "place-serveurs" (URLs contain passwords) → whether they are optional. Without the
    URL of an SMS provider, no SMS is sent."""
    needed = [_URLS[server] for server in process.servers] + ["SMTP_URL"] * process.smtp
    optional = [_URLS[server] for server in process.aids] + ["SMPP_URL", "SMS_HTTP_URL"] * process.sms
    return {name: name in optional for name in sorted(needed + optional)}


def lag_topics(process: Process) -> list[str]:
    """Topics whose lag determines the number of workers. A topic that its owner reads is not one of them: every process
    reads all of it, without a consumer group."""
    return [topic.name for topic in topics.read_by(process.service) if topic.owner != process.service]


def render() -> dict[str, str]:
    """Path below this folder → content."""
    environment = Environment(  # noqa: S701 - YAML, not HTML; every value comes from the two tables
        loader=FileSystemLoader(FOLDER / "modeles"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals.update(
        size=size,
        callers=callers,
        port_name=port_name,
        server_urls=server_urls,
        lag_topics=lag_topics,
        health_port=HEALTH_PORT,
    )
    processus = environment.get_template("processus.yaml.j2")
    workers = [process for process in PROCESSES if process.kind == "worker"]
    files = {f"base/{process.name}.yaml": processus.render(p=process) for process in PROCESSES}
    files["base/commun.yaml"] = environment.get_template("commun.yaml.j2").render()
    files["base/kustomization.yaml"] = environment.get_template("kustomization.yaml.j2").render(
        resources=sorted(Path(name).name for name in files)
    )
    files["keda/kustomization.yaml"] = environment.get_template("keda.yaml.j2").render(workers=workers)
    files |= {
        f"keda/{process.name}.yaml": environment.get_template("scaledobject.yaml.j2").render(p=process)
        for process in workers
    }
    return files
