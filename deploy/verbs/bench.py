"""./place bench NAME: one measurement, beside its peer; `lecture` against tables of what is expected."""

from importlib import import_module
from pathlib import Path

from deploy.errors import Impossible

BENCHES = ("envois", "pipeline")
READINGS = ("lecture",)
"""They read the tables of a folder, and start nothing."""


def run(name: str, as_json: bool, folder: Path | None = None) -> bool:
    """Whether the measurement meets its bar. Raises Impossible for a name that does not exist, a folder that lacks."""
    if name not in (*BENCHES, *READINGS):
        raise Impossible(f"Il n’y a pas de mesure « {name} » : {', '.join((*BENCHES, *READINGS))}.")
    module = import_module(f"bench.{name}")
    if name in BENCHES:
        return bool(module.run(as_json))
    if folder is None or not folder.is_dir():
        raise Impossible(f"./place bench {name} DOSSIER : indiquez le dossier des tables à lire.")
    return bool(module.run(as_json, folder))
