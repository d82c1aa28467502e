"""The checks, then the tests."""

import os
import subprocess
import sys
from pathlib import Path

from deploy.console import Steps
from deploy.layout import ROOT


def run(arguments: list[str]) -> int:
    """ruff, mypy, import-linter, then pytest with ``arguments``; all are run. Returns the first exit code not 0."""
    steps = Steps()
    tools = Path(sys.executable).parent
    # Seconds first, minutes last. lint-imports has no module to run; all are taken from the same environment.
    commands = {
        "ruff": [str(tools / "ruff"), "check", "."],
        "ruff format": [str(tools / "ruff"), "format", "--check", "--quiet", "."],
        "mypy": [sys.executable, "-m", "mypy"],
        "import-linter": [str(tools / "lint-imports")],
        "pytest": [sys.executable, "-m", "pytest", *arguments],
    }
    codes = {}
    for name, command in commands.items():
        steps.say(f"{name}…")
        environment = {**os.environ, "PATH": f"{tools}{os.pathsep}{os.environ.get('PATH', '')}"}
        codes[name] = subprocess.run(command, cwd=ROOT, check=False, env=environment).returncode
    failed = [name for name, code in codes.items() if code]
    # When all is well the last line is pytest's own, with its counts.
    if failed:
        steps.say(f"en échec : {', '.join(failed)}")
    return next((code for code in codes.values() if code), 0)
