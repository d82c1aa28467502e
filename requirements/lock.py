"""Write the locks anew: ``python requirements/lock.py [--upgrade] [EXTRA…]``; needs uv, which ./place installs.

One per extra, so that an image installs what its service imports and no more, with hashes. dev.txt comes first and
constrains the others: what the tests ran with is what an image holds. No lock names a registry.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EXTRAS = ("dev", "gateway", "annonces", "moderation", "matching", "notifications", "catcher")


def find_uv() -> str:
    """The uv that ./place installed, or else that of the system. Exits with a French sentence where there is none."""
    uv = shutil.which("uv", path=str(ROOT / ".place/boot/bin")) or shutil.which("uv")
    if uv is None:
        sys.exit("uv est introuvable : lancez « ./place --help » une fois, il l’installe.")
    return uv


def uv_environment() -> dict[str, str]:
    """The variables of this process, and the registry that pip is set up to use: uv does not read pip's settings."""
    known = os.environ.get("UV_DEFAULT_INDEX") or os.environ.get("UV_INDEX_URL") or os.environ.get("PIP_INDEX_URL")
    pip = shutil.which("pip3") or shutil.which("pip")
    if not known and pip:
        asked = [pip, "config", "get", "global.index-url"]
        known = subprocess.run(asked, capture_output=True, text=True).stdout.strip()
    return {**os.environ, **({"UV_DEFAULT_INDEX": known} if known else {})}


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
    subprocess.run(command, cwd=ROOT, check=True, env=uv_environment())


def main() -> None:
    arguments = sys.argv[1:]
    uv = find_uv()
    for extra in [name for name in arguments if name != "--upgrade"] or EXTRAS:
        sys.stderr.write(f"{extra}…\n")
        compile_lock(uv, extra, "--upgrade" in arguments)


if __name__ == "__main__":
    main()
