"""Write the locks anew: ``python requirements/lock.py [--upgrade] [EXTRA…]``; needs uv, which ./place installs.

One per extra, so that an image installs what its service imports and no more, with hashes. dev.txt comes first and
constrains the others: what the tests ran with is what an image holds. No lock names a registry.
"""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EXTRAS = ("dev", "gateway", "annonces", "moderation", "matching", "notifications", "catcher")


def compile_lock(uv: str, extra: str, upgrade: bool) -> None:
    """Write requirements/<extra>.txt; without ``upgrade`` a version that still fits stays."""
    command = [
        uv,
        "pip",
        "compile",
        "--universal",
        "--python-version",
        "3.11",
        "--generate-hashes",
        "--no-header",
        "-q",
    ]
    command += ["--extra", extra, "pyproject.toml", "-o", f"requirements/{extra}.txt"]
    if extra != "dev":
        command += ["--constraint", "requirements/dev.txt", "--no-annotate"]
    if upgrade and extra == "dev":
        command.append("--upgrade")
    subprocess.run(command, cwd=ROOT, check=True)


def main() -> None:
    arguments = sys.argv[1:]
    uv = shutil.which("uv", path=str(ROOT / ".place/boot/bin")) or shutil.which("uv")
    if uv is None:
        sys.exit("uv est introuvable : lancez « ./place --help » une fois, il l’installe.")
    for extra in [name for name in arguments if name != "--upgrade"] or EXTRAS:
        sys.stderr.write(f"{extra}…\n")
        compile_lock(uv, extra, "--upgrade" in arguments)


if __name__ == "__main__":
    main()
