"""./place bench NAME: runs one measurement of the platform and a peer, or (`lecture`) compares with tables of
expectations."""

from importlib import import_module
from pathlib import Path

from deploy.errors import Impossible

BENCHES = ("envois", "pipeline")
READINGS = ("lecture",)
"""Measurements that only read the tables of a folder."""


def run(name: str, as_json: bool, folder: Path | None = None) -> bool:
    """Returns whether the measurement meets its target. Raises Impossible for an unknown name or a missing folder."""
    if name not in (*BENCHES, *READINGS):
        raise Impossible(f"Il n’y a pas de mesure « {name} » : {', '.join((*BENCHES, *READINGS))}.")
    module = import_module(f"bench.{name}")
    if name in BENCHES:
        return bool(module.run(as_json))
    if folder is None or not folder.is_dir():
        raise Impossible(f"./place bench {name} DOSSIER : indiquez le dossier des tables à lire.")
    return bool(module.run(as_json, folder))
