"""./place test: static checks, then the tests."""

import os
import subprocess
import sys
from pathlib import Path

from deploy.console import Steps
from deploy.essais import longtemps, parallel_runs
from deploy.layout import ROOT


def run(arguments: list[str], *, hasard: bool = False) -> int:
    """Runs ruff, mypy, import-linter, then the tests, even if one fails. Returns the first exit code that is not 0.

    With ``arguments``, the tests are one pytest run that gets them. With ``hasard``, they are the property tests, for
    ten minutes, with new values.
    """
    steps = Steps()
    tools = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{tools}{os.pathsep}{os.environ.get('PATH', '')}"}
    # import-linter has no module to run with -m, so all commands are taken from the same environment.
    checks = {
        "ruff": [str(tools / "ruff"), "check", "."],
        "ruff format": [str(tools / "ruff"), "format", "--check", "--quiet", "."],
        "mypy": [sys.executable, "-m", "mypy"],
        "import-linter": [str(tools / "lint-imports")],
    }
    codes = {}
    for name, command in checks.items():
        steps.say(f"{name}…")
        codes[name] = subprocess.run(command, cwd=ROOT, check=False, env=environment).returncode
    steps.say("pytest…")
    total = None
    if hasard:
        codes["pytest"] = longtemps.courir(arguments, environment, steps)
    elif arguments:
        pytest = [sys.executable, "-m", "pytest", *arguments]
        codes["pytest"] = subprocess.run(pytest, cwd=ROOT, check=False, env=environment).returncode
    else:
        codes["pytest"], total = parallel_runs.courir(environment)
    failed = [name for name, code in codes.items() if code]
    if failed:
        steps.say(f"en échec : {', '.join(failed)}")
    if total is not None:
        # CI reads the last line; with arguments it is pytest's own.
        print(total)
    return next((code for code in codes.values() if code), 0)
