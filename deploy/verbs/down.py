"""Stops everything. Data are kept unless `wipe` is set."""

import shutil

from deploy import layout
from deploy.console import Steps
from deploy.stack.processes import SERVERS
from deploy.stack.servers.leftovers import sweep
from deploy.stack.supervision import Supervisor


def run(*, wipe: bool = False, steps: Steps | None = None) -> None:
    """Stops the processes side by side, then the servers, then supervisord."""
    steps = steps or Steps()
    place = layout.current()
    place.make()
    supervisor = Supervisor(place)
    if supervisor.pid() is None:
        killed = sweep(place.run)
        steps.say(f"restes terminés : {', '.join(killed)}" if killed else "rien ne tourne")
    else:
        running = [name for name, state in supervisor.states().items() if state.state not in ("STOPPED", "FATAL")]
        processes = [name for name in running if name not in SERVERS]
        if processes:
            supervisor.stop_and_wait(processes)
            steps.say(f"arrêtés : {', '.join(processes)}")
        servers = [name for name in running if name in SERVERS]
        if servers:
            supervisor.stop_and_wait(servers)
            steps.say(f"arrêtés : {', '.join(servers)}")
        supervisor.shutdown()
        steps.say("supervisord arrêté")
        sweep(place.run)
    if wipe:
        # The Python environment and the jars are kept: they contain no data, and downloading them takes long.
        for folder in (place.data, place.logs, place.run, place.secrets):
            if folder.exists():
                shutil.rmtree(folder)
        for file in (place.ports, place.counts, place.conf):
            file.unlink(missing_ok=True)
        steps.say("données, secrets, journaux et ports effacés")
