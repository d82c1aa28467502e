"""Runs the property tests with new random values, round after round, until the time is over."""

import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence

from deploy.console import Steps
from deploy.layout import ROOT

DUREE_S = 600


def commande(graine: int, arguments: Sequence[str]) -> list[str]:
    """The command of one round; `graine` is the seed of its values."""
    hasard = ["-m", "hypothesis", "--hypothesis-profile=longtemps", f"--hypothesis-seed={graine}"]
    return [sys.executable, "-m", "pytest", "-q", "-n", "auto", "--dist=worksteal", *hasard, *arguments]


def courir(
    arguments: Sequence[str],
    environnement: Mapping[str, str],
    steps: Steps,
    duree_s: float = DUREE_S,
    lancer: Callable[..., "subprocess.CompletedProcess[bytes]"] = subprocess.run,
    horloge: Callable[[], float] = time.monotonic,
) -> int:
    """Starts rounds until `duree_s` is over or one has failed. Returns the exit code of the last one."""
    fin = horloge() + duree_s
    tours = 0
    while horloge() < fin:
        graine = secrets.randbelow(2**32)
        tours += 1
        steps.say(f"tour {tours}, graine {graine}…")
        code = lancer(commande(graine, arguments), cwd=ROOT, check=False, env=environnement).returncode
        if code == 1:
            steps.say(
                f"une faute au tour {tours}, graine {graine} : mettez la valeur en @example, elle sera rejouée partout"
            )
        if code:
            return code
    steps.say(f"{tours} tours sans faute")
    return 0
