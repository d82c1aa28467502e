"""./place bench NAME: one measurement, beside its peer."""

from importlib import import_module

from deploy.errors import Impossible

BENCHES = ("envois", "pipeline")


def run(name: str, as_json: bool) -> bool:
    """Whether the measurement meets its bar. Raises Impossible for a name that does not exist."""
    if name not in BENCHES:
        raise Impossible(f"Il n’y a pas de mesure « {name} » : {', '.join(BENCHES)}.")
    return bool(import_module(f"bench.{name}").run(as_json))
