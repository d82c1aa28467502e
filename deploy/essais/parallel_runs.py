"""Runs all tests as several pytest runs side by side, because tests mostly wait.

The tests of one run are sequential and share servers; two runs share nothing.
"""

import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.layout import ROOT

_PAUSE_S = 0.2


@dataclass(frozen=True)
class PytestRun:
    """One pytest run: its folders, without those that another run has for itself."""

    nom: str
    dossiers: tuple[str, ...]
    sauf: tuple[str, ...] = ()

    @property
    def arguments(self) -> list[str]:
        return [*self.dossiers, *(f"--ignore={dossier}" for dossier in self.sauf)]


# In each run, fast tests come first; the output of the first run is shown first. The three take about the same time.
VOIES = (
    PytestRun("unités, intégration", ("tests/unit", "tests/integration")),
    PytestRun("chaos de la plateforme", ("tests/chaos",), sauf=("tests/chaos/messages",)),
    PytestRun(
        "plateforme entière, chaos de la remise des messages", ("tests/e2e", "tests/browser", "tests/chaos/messages")
    ),
)


@dataclass(frozen=True)
class Compte:
    """Numbers of tests that passed, failed (or could not be set up), and were skipped."""

    passes: int = 0
    echecs: int = 0
    ignores: int = 0

    def __add__(self, autre: "Compte") -> "Compte":
        return Compte(self.passes + autre.passes, self.echecs + autre.echecs, self.ignores + autre.ignores)

    def __str__(self) -> str:
        ignores = f", {self.ignores} skipped" if self.ignores else ""
        return f"{self.passes} passed, {self.echecs} failed{ignores}"


class RunningPytest:
    """A running pytest. Its output goes to a file, so that outputs do not mix."""

    def __init__(self, voie: PytestRun, dossier: Path, environnement: Mapping[str, str], couleur: bool) -> None:
        self.voie = voie
        self._sortie = dossier / "sortie"
        self._rapport = dossier / "rapport.xml"
        pytest = [
            sys.executable,
            "-m",
            "pytest",
            f"--junit-xml={self._rapport}",
            f"--color={'yes' if couleur else 'no'}",
        ]
        with self._sortie.open("wb") as sortie:
            self._enfant = subprocess.Popen(
                [*pytest, *voie.arguments],
                cwd=ROOT,
                env=environnement,
                stdout=sortie,
                stderr=subprocess.STDOUT,
                # In a session of its own: Ctrl-C reaches only this process, and `terminer` passes it on. pytest aborts
                # its clean-up if it gets the signal twice.
                start_new_session=True,
            )

    def montrer(self) -> int:
        """Shows the output until the run ends; returns its exit code."""
        with self._sortie.open("rb") as sortie:
            while True:
                finie = self._enfant.poll() is not None
                while octets := sortie.read(65_536):
                    sys.stdout.buffer.write(octets)
                sys.stdout.flush()
                if finie:
                    return self._enfant.returncode
                time.sleep(_PAUSE_S)

    def compte(self) -> Compte:
        """The counts; a run that ended without a report counts as one failure."""
        if not self._rapport.exists():
            return Compte(echecs=1)
        return lire(self._rapport)

    def terminer(self) -> None:
        """Ends the run and everything it has started; does nothing if it has ended."""
        if self._enfant.poll() is None:
            self._enfant.terminate()
            self._enfant.wait()


def lire(rapport: Path) -> Compte:
    """The counts of a JUnit report."""
    total = Compte()
    for suite in ET.parse(rapport).getroot().iter("testsuite"):  # noqa: S314 (pytest has just written it)
        tous, echecs, erreurs, ignores = (int(suite.get(nom, 0)) for nom in ("tests", "failures", "errors", "skipped"))
        total += Compte(tous - echecs - erreurs - ignores, echecs + erreurs, ignores)
    return total


def courir(environnement: Mapping[str, str], voies: Sequence[PytestRun] = VOIES) -> tuple[int, Compte]:
    """Runs everything and shows the outputs one after the other. Returns the first exit code that is not 0, and all
    counts."""
    courses: list[RunningPytest] = []
    with tempfile.TemporaryDirectory(prefix="place-essais-") as racine:
        # By default SIGTERM would end only this process: the runs must end too.
        avant = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
        try:
            for rang, voie in enumerate(voies):
                dossier = Path(racine) / str(rang)
                dossier.mkdir()
                courses.append(RunningPytest(voie, dossier, environnement, sys.stdout.isatty()))
            codes = []
            for course in courses:
                print(f"\n── {course.voie.nom}", flush=True)
                codes.append(course.montrer())
            total = sum((course.compte() for course in courses), Compte())
        finally:
            for course in courses:
                course.terminer()
            signal.signal(signal.SIGTERM, avant)
    return next((code for code in codes if code), 0), total
