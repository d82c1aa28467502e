"""./place up: starts everything in order; a second call uses what runs already."""

import fcntl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from deploy import layout
from deploy.console import Steps
from deploy.errors import Impossible
from deploy.stack import embedded, external, health, secrets
from deploy.stack.embedded import PORTS_OF, Program, Stack, health_port
from deploy.stack.processes import STAND_INS
from deploy.stack.servers.leftovers import sweep
from deploy.stack.servers.servers import URL_VARIABLES, Server
from deploy.stack.servers.waiting import Patience, wait_until
from deploy.stack.supervision import Supervisor, configuration

_READY_S = 120.0
# A process may fail at its start because of a race, and succeed when restarted; after this time it will not.
_RACE_S = 20.0


def run(*, only_servers: bool = False, wished: Mapping[str, int] | None = None, steps: Steps | None = None) -> Stack:
    """Starts what does not run yet and waits until everything answers. Raises Impossible."""
    steps = steps or Steps()
    place = layout.current()
    place.make()
    with _alone(place.run / "up.verrou", steps):
        supervisor = Supervisor(place)
        found = supervisor.pid()
        if found is None:
            killed = sweep(place.run)
            if killed:
                steps.say(f"restes d’un arrêt brutal terminés : {', '.join(killed)}")
        current = embedded.load(place, wished, held_ports(supervisor) if found else frozenset())
        if secrets.make(place.secrets):
            steps.say(f"secrets faits dans {place.secrets}")
        _prepare_servers(current, steps)
        place.conf.write_text(configuration(current))
        place.conf.chmod(0o600)
        if found is None:
            supervisor.launch()
            steps.say(f"supervisord lancé (pid {supervisor.pid()})")
        else:
            supervisor.apply()
            steps.say(f"supervisord tourne déjà (pid {found})")
        _start_servers(current, supervisor, steps)
        programs = [program for program in current.programs() if program.health]
        start_programs([p for p in programs if not only_servers or p.name in STAND_INS], supervisor, steps)
    return current


def held_ports(supervisor: Supervisor) -> frozenset[str]:
    """Names in ports.json whose port a running program uses."""
    names: set[str] = set()
    for name, state in supervisor.states().items():
        if state.pid:
            names.update((*PORTS_OF.get(name, (name,)), health_port(name)))
    return frozenset(names)


def start_programs(programs: list[Program], supervisor: Supervisor, steps: Steps) -> None:
    """Starts programs side by side and waits until each is ready. Raises Impossible with the end of a log."""
    before = supervisor.states()
    for program in programs:
        supervisor.start(program.name)
    waiting = {program.name: program for program in programs}
    ready, race = Patience(_READY_S), Patience(_RACE_S)
    while waiting:
        for name, program in list(waiting.items()):
            if health.is_ready(program.health or ""):
                del waiting[name]
                steps.say(f"{name} {'était déjà prêt' if before[name].pid else 'est prêt'}")
        if waiting and race.over():
            for name, state in supervisor.states().items():
                if name in waiting and state.state in ("BACKOFF", "FATAL"):
                    raise Impossible(
                        f"{name} ne démarre pas ({_last_line(supervisor, name)}) : « ./place logs {name} »."
                    )
        if waiting and ready.over():
            raise Impossible(f"Toujours pas prêt : {', '.join(waiting)} ; lisez « ./place logs ».")
        if waiting:
            time.sleep(0.1)


def _prepare_servers(current: Stack, steps: Steps) -> None:
    for name, url in current.external.items():
        external.check(URL_VARIABLES[name], url)
        steps.say(f"{URL_VARIABLES[name]} est donné : {external.hosts(url)} répond, {name} n’est pas démarré ici")
    for server in current.servers:
        server.prepare()
        steps.say(f"{server.title} {server.version()} est installé")


def _start_servers(current: Stack, supervisor: Supervisor, steps: Steps) -> None:
    servers = current.servers
    for server in servers:
        supervisor.start(server.name)
    race = Patience(_RACE_S)
    for server in sorted(servers, key=lambda server: server.start_seconds):
        broken = partial(_broken, server, supervisor, race)
        wait_until(server.answers, server.title, server.start_seconds, broken)
        steps.say(f"{server.title} répond sur 127.0.0.1:{server.port}")


def _broken(server: Server, supervisor: Supervisor, race: Patience) -> str | None:
    state = supervisor.states()[server.name].state
    if not race.over() or state not in ("BACKOFF", "FATAL"):
        return None
    return (
        f"{server.title} ne démarre pas ({_last_line(supervisor, server.name)}) : « ./place logs {server.name} », "
        f"ou donnez l’adresse d’un serveur existant dans {URL_VARIABLES[server.name]}."
    )


def _last_line(supervisor: Supervisor, name: str) -> str:
    log = supervisor.log_of(name)
    lines = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
    return lines[-1][:300] if lines else "journal vide"


@contextmanager
def _alone(lock_path: Path, steps: Steps) -> Iterator[None]:
    """Allows one ``up`` at a time per stack: the second waits, then finds everything started."""
    with lock_path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            steps.say("un autre « ./place up » est en cours : attente de sa fin")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
