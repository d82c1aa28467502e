"""Changes the number of workers or API processes of a service, now and for the next starts."""

from contracts import topics
from deploy import layout
from deploy.console import Steps
from deploy.errors import Impossible
from deploy.stack import embedded
from deploy.stack.processes import SCALABLE
from deploy.stack.supervision import Supervisor, configuration
from deploy.verbs import up

# A further worker would have no partition to read.
_MOST = topics.SUR_LE_CHEMIN


def parse(wish: str) -> tuple[str, int]:
    """Parses "matching=3". Raises Impossible."""
    name, _, count = wish.partition("=")
    if name not in SCALABLE or not count.isdecimal() or not 1 <= int(count) <= _MOST:
        raise Impossible(
            f"« {wish} » n’est pas compris : écrivez NOM=NOMBRE, avec un nom parmi {', '.join(SCALABLE)} "
            f"et un nombre de 1 à {_MOST}, par exemple matching=3."
        )
    return name, int(count)


def run(wishes: list[str]) -> None:
    """Applies wishes such as "matching=3". Raises Impossible."""
    steps = Steps()
    place = layout.current()
    place.make()
    counts = {**embedded.load_counts(place.counts), **dict(parse(wish) for wish in wishes)}
    embedded.save_counts(place.counts, counts)
    supervisor = Supervisor(place)
    if supervisor.pid() is None:
        steps.say("noté ; sera appliqué au prochain « ./place up »")
        return
    before = supervisor.states()
    current = embedded.load(place, running=up.held_ports(supervisor), counts=counts)
    place.conf.write_text(configuration(current))
    supervisor.apply()
    after = supervisor.states()
    gone = before.keys() - after.keys()
    if gone:
        steps.say(f"arrêtés : {', '.join(sorted(gone))}")
    # New programs, and those stopped by a change of their configuration (the gateway's contains the addresses of the
    # APIs).
    starting = [name for name, state in after.items() if not state.pid and (name not in before or before[name].pid)]
    up.start_programs([program for program in current.programs() if program.name in starting], supervisor, steps)
    for wish in wishes:
        name, count = parse(wish)
        steps.say(f"{name} : {count} {'processus' if name.endswith('-api') else 'worker' + 's' * (count > 1)}")
