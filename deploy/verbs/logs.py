"""Shows the merged logs of the programs."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from deploy import layout
from deploy.errors import Impossible

_PAUSE_S = 0.2


def matching(folder: Path, name: str | None) -> list[Path]:
    """Log files of a program ("annonces-api"), of a service ("annonces"), or all of them. Raises Impossible if there
    are none."""
    files = sorted(folder.glob("*.log"))
    chosen = [file for file in files if name is None or file.stem == name or file.stem.startswith(f"{name}-")]
    if not chosen:
        known = ", ".join(file.stem for file in files) or "aucun, lancez « ./place up »"
        raise Impossible(f"Aucun journal pour « {name or 'tout'} » ; il y a : {known}.")
    return chosen


def tail(path: Path, lines: int) -> list[str]:
    """The last lines of a file; reads only its end."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 400 * lines))
        text = file.read().decode(errors="replace").splitlines()
    return text[-lines:]


def follow(files: list[Path]) -> Iterator[tuple[str, str]]:
    """Yields (program, line) without end; opens a rotated file again."""
    open_files: dict[Path, TextIO] = {path: path.open(errors="replace") for path in files}
    for file in open_files.values():
        file.seek(0, os.SEEK_END)
    while True:
        silent = True
        for path, file in list(open_files.items()):
            while line := file.readline():
                silent = False
                yield path.stem, line.rstrip("\n")
            if path.exists() and os.fstat(file.fileno()).st_ino != path.stat().st_ino:
                file.close()
                open_files[path] = path.open(errors="replace")
        if silent:
            time.sleep(_PAUSE_S)


def run(name: str | None, *, follows: bool = False, lines: int = 40) -> None:
    files = matching(layout.current().logs, name)
    width = max(len(file.stem) for file in files)
    for file in files:
        for line in tail(file, lines):
            print(f"{file.stem:<{width}} | {line}")
    if follows:
        try:
            for program, line in follow(files):
                print(f"{program:<{width}} | {line}", flush=True)
        except KeyboardInterrupt:
            return
