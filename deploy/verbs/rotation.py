"""./place rotation: creates a new key for contact details, encrypts everything with it, then removes the old key."""

import asyncio
from pathlib import Path

from deploy import layout
from deploy.client import InternalApis, session
from deploy.console import Steps
from deploy.errors import Impossible
from deploy.stack import embedded, secrets
from deploy.stack.embedded import Stack
from deploy.stack.supervision import Supervisor
from deploy.verbs import up

_SERVICE = "notifications"


def run() -> bool:
    """Returns True when only the new key is left; False when messages in progress still need the old one. Raises
    Impossible."""
    steps = Steps()
    supervisor = Supervisor(layout.current())
    if supervisor.pid() is None:
        raise Impossible("La plateforme ne tourne pas : lancez « ./place up ».")
    current = embedded.existing(layout.current())
    file = current.layout.secrets / _SERVICE / "cle_chiffrement"
    # The file has two keys when an earlier call could not remove the old one.
    if "," not in file.read_text():
        _renew(file, f"{secrets.random_key()},{file.read_text().strip()}", current, supervisor, steps)
        steps.say("une nouvelle clé chiffre, l’ancienne déchiffre encore")
    faits, restants = asyncio.run(_rechiffrer(current))
    steps.say(f"{faits} coordonnées rechiffrées")
    if restants:
        steps.say(f"{restants} messages ou codes en cours tiennent à l’ancienne clé : relancez dans un quart d’heure")
        return False
    _renew(file, file.read_text().split(",")[0], current, supervisor, steps)
    steps.say("l’ancienne clé est retirée : sauvegardez la nouvelle")
    return True


def _renew(file: Path, keys: str, current: Stack, supervisor: Supervisor, steps: Steps) -> None:
    """Restarts all processes of the service at once, because a process without the right key stops at the first row
    that needs it."""
    secrets.write(file, keys.encode())
    programs = [program for program in current.programs() if program.name.startswith(f"{_SERVICE}-")]
    supervisor.stop_and_wait([program.name for program in programs])
    up.start_programs(programs, supervisor, steps)


async def _rechiffrer(current: Stack) -> tuple[int, int]:
    """Returns (contacts encrypted again, rows that still need the old key)."""
    faits = 0
    async with session() as http:
        while True:
            client = InternalApis(http, current).client(_SERVICE, roles=["systeme"])
            answer = await client.post("/v1/interne/rotation")
            faits += answer["faits"]
            if not answer["faits"]:
                return faits, int(answer["restants"])
