"""More or fewer workers of a service, here and now, kept for the next start."""

from contracts import topics
from deploy import layout
from deploy.console import Steps
from deploy.errors import Impossible
from deploy.stack import embedded
from deploy.stack.processes import SERVICES
from deploy.stack.supervision import Supervisor, configuration
from deploy.verbs import up

# With one worker more, one would have no partition to read.
_MOST = topics.SUR_LE_CHEMIN


def parse(wish: str) -> tuple[str, int]:
    """« matching=3 » → (« matching », 3). Raises Impossible."""
    service, _, count = wish.partition("=")
    if service not in SERVICES or not count.isdecimal() or not 1 <= int(count) <= _MOST:
        raise Impossible(
            f"« {wish} » n’est pas compris : écrivez SERVICE=NOMBRE, avec un service parmi {', '.join(SERVICES)} "
            f"et un nombre de 1 à {_MOST}, par exemple matching=3."
        )
    return service, int(count)


def run(wishes: list[str]) -> None:
    """Apply « service=count » wishes. Raises Impossible."""
    steps = Steps()
    place = layout.current()
    place.make()
    before = embedded.load_workers(place.workers)
    workers = {**before, **dict(parse(wish) for wish in wishes)}
    embedded.save_workers(place.workers, workers)
    supervisor = Supervisor(place)
    if supervisor.pid() is None:
        steps.say("noté ; sera appliqué au prochain « ./place up »")
        return
    known = set(supervisor.states())
    current = embedded.load(place, running=up.held_ports(supervisor), workers=workers)
    place.conf.write_text(configuration(current))
    supervisor.apply()
    gone = known - set(supervisor.states())
    if gone:
        steps.say(f"arrêtés : {', '.join(sorted(gone))}")
    up.start_programs([program for program in current.programs() if program.name not in known], supervisor, steps)
    for wish in wishes:
        service, count = parse(wish)
        steps.say(f"{service} : {count} worker{'s' if count > 1 else ''}")
