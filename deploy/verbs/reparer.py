"""./place reparer: every service publishes its topics again from its database; nobody is alerted twice."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any

from deploy import layout
from deploy.console import Steps
from deploy.errors import Impossible
from deploy.layout import ROOT
from deploy.stack import embedded, health
from deploy.stack.embedded import Stack
from deploy.stack.processes import BY_NAME, SERVICES, Process
from deploy.stack.supervision import Supervisor

_INDEX_S = 300.0


@dataclass
class Repair:
    """The republication of one service, while it runs."""

    process: Process
    command: subprocess.Popen[str]


def run() -> bool:
    """Returns True when everything is published and every index of matching is complete. Raises Impossible."""
    steps = Steps()
    if Supervisor(layout.current()).pid() is None:
        raise Impossible("La plateforme ne tourne pas : lancez « ./place up ».")
    current = embedded.existing(layout.current())
    # Side by side, because most of the time is spent waiting for the brokers.
    repairs = [_begin(current, name) for name in ("gateway", *(f"{service}-worker" for service in SERVICES))]
    failed = [repair for repair in repairs if not _follow(repair, steps)]
    return _wait_for_indexes(current, steps) and not failed


def _begin(current: Stack, name: str) -> Repair:
    process = BY_NAME[name]
    command = subprocess.Popen(
        [sys.executable, "-m", process.module, "republier"],
        cwd=ROOT,
        env={**os.environ, **current.environment(process, name)},
        stdout=subprocess.PIPE,
        text=True,
    )
    return Repair(process, command)


def _follow(repair: Repair, steps: Steps) -> bool:
    assert repair.command.stdout is not None
    topics: list[dict[str, Any]] = []
    for line in repair.command.stdout:
        topics = json.loads(line)
        for topic in topics:
            if not topic["done"] and topic["published"]:
                steps.say(f"{topic['topic']} : {_figures(topic)}")
    code = repair.command.wait()
    for topic in topics:
        if topic["total"]:
            steps.say(f"{topic['topic']} : {_figures(topic)}")
    if code:
        steps.say(f"{repair.process.service} : rien n’avance, « ./place logs {repair.process.service} »")
    elif not any(topic["total"] for topic in topics):
        steps.say(f"{repair.process.service} : les événements d’un jour, pas d’état à republier")
    return code == 0


def _figures(topic: dict[str, Any]) -> str:
    return f"{topic['published']} sur {topic['total']}"


def _wait_for_indexes(current: Stack, steps: Steps) -> bool:
    end = time.monotonic() + _INDEX_S
    workers = [program for program in current.programs() if program.name.startswith("matching-worker")]
    while not all(health.is_ready(program.health or "") for program in workers):
        if time.monotonic() > end:
            steps.say("l’index de matching n’est pas complet : « ./place status »")
            return False
        time.sleep(0.2)
    steps.say("index de matching complet")
    return True
