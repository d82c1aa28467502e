"""Grants or withdraws the role of moderator. The first moderator can only be made this way."""

import os
import subprocess
import sys

from deploy import layout
from deploy.layout import ROOT
from deploy.stack import embedded
from deploy.stack.processes import BY_NAME


def run(address: str, *, retirer: bool = False) -> int:
    """Runs ``python -m gateway moderateur [--retirer] ADDRESS`` with the gateway's environment. Returns its exit
    code."""
    current = embedded.existing(layout.current())
    environment = {**os.environ, **current.environment(BY_NAME["gateway"], "gateway")}
    command = [sys.executable, "-m", "gateway", "moderateur", *(["--retirer"] if retirer else []), address]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
