"""supervisord: its configuration, generated from the stack, and its remote procedures."""

import http.client
import shlex
import subprocess
import sys
import time
import xmlrpc.client
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from supervisor.xmlrpc import SupervisorTransport

from deploy.errors import Impossible
from deploy.layout import ROOT, Layout
from deploy.stack.embedded import Program, Stack
from deploy.stack.servers.leftovers import bound

_START_S = 15.0
_NOT_RUNNING = 70
_ALREADY_STARTED = 60
_BAD_NAME = 10


@dataclass(frozen=True)
class State:
    """A program as seen by supervisord: ``state`` is RUNNING, STOPPED, STARTING, BACKOFF…; ``uptime`` in seconds."""

    name: str
    state: str
    pid: int
    uptime: int
    message: str


def configuration(stack: Stack) -> str:
    """The text of supervisord.conf."""
    layout = stack.layout
    head = f"""\
; Made by ./place up: changes here are lost.
[unix_http_server]
file = {_escape(layout.socket)}
chmod = 0700

[supervisord]
logfile = {_escape(layout.supervisor_log)}
logfile_maxbytes = 2MB
logfile_backups = 2
pidfile = {_escape(layout.run / "supervisord.pid")}
directory = {_escape(ROOT)}
childlogdir = {_escape(layout.logs)}
identifier = place
minfds = 256

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
"""
    return head + "".join(_program(stack, program) for program in stack.programs())


def _program(stack: Stack, program: Program) -> str:
    layout = stack.layout
    command = shlex.join(bound(program.name, layout.run, list(program.command)))
    environment = ",".join(f'{name}="{_escape(value)}"' for name, value in sorted(program.environment.items()))
    return f"""
[program:{program.name}]
command = {_escape(command)}
directory = {_escape(ROOT)}
environment = {environment}
autostart = false
autorestart = true
; A process whose server is away ends and is started again: it never gives up.
startretries = 1000000
startsecs = 1
stopwaitsecs = 15
stopasgroup = true
killasgroup = true
redirect_stderr = true
; This one value is expanded twice.
stdout_logfile = {_escape(_escape(layout.logs / f"{program.name}.log"))}
stdout_logfile_maxbytes = 10MB
stdout_logfile_backups = 3
"""


def _escape(value: object) -> str:
    """Escapes "%", because supervisord expands %(name)s in every value."""
    return str(value).replace("%", "%%")


class Supervisor:
    """The supervisord of one stack."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._calls: Any = None
        self._connect()

    def _connect(self) -> None:
        # The host name is not used: the transport connects through the socket.
        transport = SupervisorTransport(None, None, f"unix://{self._layout.socket}")
        self._calls = xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport).supervisor

    def pid(self) -> int | None:
        """The pid of the running supervisord, or None. A socket left by a crash does not count."""
        if not self._layout.socket.exists():
            return None
        try:
            return int(self._calls.getPID())
        except (OSError, http.client.HTTPException, xmlrpc.client.ProtocolError):
            # The transport keeps its connection, which is unusable after a failure.
            self._connect()
            return None

    def launch(self) -> None:
        """Starts supervisord with the configuration on disk and waits for its socket. Raises Impossible."""
        run = subprocess.run(
            [sys.executable, "-m", "supervisor.supervisord", "-c", str(self._layout.conf)],
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            cwd=ROOT,
        )
        if run.returncode != 0:
            lines = (run.stderr + run.stdout).strip().splitlines()
            reason = next((line for line in lines if line.startswith("Error")), lines[-1] if lines else "sans message")
            raise Impossible(f"supervisord ne démarre pas ({reason}) : lisez {self._layout.supervisor_log}.")
        deadline = time.monotonic() + _START_S
        while self.pid() is None:
            if time.monotonic() > deadline:
                raise Impossible(f"supervisord ne répond pas : lisez {self._layout.supervisor_log}.")
            time.sleep(0.05)

    def apply(self) -> None:
        """Makes the running supervisord apply the configuration on disk; changed programs are left stopped."""
        added, changed, removed = self._calls.reloadConfig()[0]
        for name in removed + changed:
            self._stop_for_good(name)
            self._calls.removeProcessGroup(name)
        for name in added + changed:
            self._calls.addProcessGroup(name)

    def states(self) -> dict[str, State]:
        return {
            info["name"]: State(
                info["name"],
                info["statename"],
                int(info["pid"]),
                int(info["now"] - info["start"]) if info["pid"] else 0,
                info["description"] if info["statename"] in ("BACKOFF", "FATAL") else "",
            )
            for info in self._calls.getAllProcessInfo()
        }

    def log_of(self, name: str) -> Path:
        """The current log file of a program."""
        return self._layout.logs / f"{name}.log"

    def start(self, name: str) -> None:
        """Starts a program without waiting; does nothing when it runs already. Raises Impossible."""
        self._call("startProcess", name, _ALREADY_STARTED)

    def stop(self, name: str) -> None:
        """Asks a program to end, without waiting; it stays stopped until it is started. Raises Impossible."""
        self._call("stopProcess", name, _NOT_RUNNING)

    def stop_and_wait(self, names: list[str], seconds: float = 30.0) -> None:
        """Stops programs side by side and waits for all of them; supervisord kills those that have not ended after 15
        s."""
        for name in names:
            self.stop(name)
        deadline = time.monotonic() + seconds
        while any(state.pid for name, state in self.states().items() if name in names):
            if time.monotonic() > deadline:
                raise Impossible(f"Des programmes ne s’arrêtent pas : lisez {self._layout.supervisor_log}.")
            time.sleep(0.05)

    def shutdown(self) -> None:
        """Ends supervisord and waits until it is gone."""
        pid = self.pid()
        if pid is None:
            return
        self._calls.shutdown()
        try:
            psutil.Process(pid).wait(30)
        except psutil.NoSuchProcess:
            return
        except psutil.TimeoutExpired as error:
            raise Impossible(
                f"supervisord (pid {pid}) ne s’arrête pas : lisez {self._layout.supervisor_log}."
            ) from error

    def _stop_for_good(self, name: str) -> None:
        if name in self.states():
            self.stop_and_wait([name])

    def _call(self, procedure: str, name: str, harmless: int) -> None:
        try:
            getattr(self._calls, procedure)(name, False)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode == _BAD_NAME:
                known = ", ".join(sorted(self.states()))
                raise Impossible(f"« {name} » n’est pas un programme : choisissez parmi {known}.") from fault
            if fault.faultCode != harmless:
                raise Impossible(f"« {name} » : {fault.faultString} ; lisez « ./place logs {name} ».") from fault
