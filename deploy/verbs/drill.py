"""Stops or starts one program, for failure drills."""

from deploy import layout
from deploy.console import Steps
from deploy.errors import Impossible
from deploy.stack import embedded
from deploy.stack.servers.waiting import wait_until
from deploy.stack.supervision import Supervisor
from deploy.verbs import up


def _supervisor() -> Supervisor:
    supervisor = Supervisor(layout.current())
    if supervisor.pid() is None:
        raise Impossible("La plateforme ne tourne pas : lancez « ./place up ».")
    return supervisor


def stop(name: str) -> None:
    """Stops a program and leaves it stopped. Raises Impossible."""
    steps = Steps()
    _supervisor().stop_and_wait([name])
    steps.say(f"{name} est arrêté ; « ./place start {name} » le relance")


def start(name: str) -> None:
    """Starts a program and waits until it answers. Raises Impossible."""
    steps = Steps()
    supervisor = _supervisor()
    current = embedded.existing(layout.current())
    server = next((server for server in current.servers if server.name == name), None)
    if server:
        supervisor.start(name)
        wait_until(server.answers, server.title, server.start_seconds, lambda: None)
        steps.say(f"{server.title} répond sur 127.0.0.1:{server.port}")
        return
    programs = [program for program in current.programs() if program.name == name]
    if not programs:
        supervisor.start(name)
    up.start_programs(programs, supervisor, steps)
