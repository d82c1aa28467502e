"""Kill -9 for each kind of process, thirty seconds without each server: nothing that was accepted is lost.

Duplicates may only come from the documented window of the SMTP hand-off: a deliverer killed between the server's 250
and its own mark.
"""

import asyncio
import os
import signal
import time
from functools import partial

import pytest

from deploy.client import jusqu_a
from deploy.stack import health
from deploy.stack.processes import BY_NAME, CATCHER
from deploy.stack.supervision import Supervisor
from deploy.verbs import drill
from tests.chaos.flux import DOUBLONS_MAX, ouvrir
from tests.pile import Ville

pytestmark = pytest.mark.chaos

PANNE_S = 30
# Between the server's 250 and the mark: those who deliver, and the server that they deliver to.
DELIVRENT = {"notifications-worker", "notifications-api", CATCHER}


def pid(ville: Ville, nom: str) -> int:
    return Supervisor(ville.stack.layout).states()[nom].pid


async def tuer(ville: Ville, nom: str) -> None:
    """Kill -9, and wait until the supervisor has started it again."""
    victime = pid(ville, nom)
    os.kill(victime, signal.SIGKILL)

    async def remplace() -> bool:
        return (await asyncio.to_thread(pid, ville, nom)) not in (0, victime)

    await jusqu_a(remplace, f"{nom} relancé")
    if nom == CATCHER:
        # We read the mails there ourselves.
        page = f"{ville.stack.catcher_url}/sante/vivant"
        await jusqu_a(partial(asyncio.to_thread, health.is_ready, page), "courrier prêt")


@pytest.mark.parametrize("nom", [*BY_NAME, CATCHER])
async def test_un_processus_tue_ne_perd_aucune_alerte(ville: Ville, nom: str) -> None:
    flux = await ouvrir(ville)
    async with flux.coule():
        await flux.au_moins(5)
        await tuer(ville, nom)
        await flux.au_moins(10)
        await tuer(ville, nom)
        await flux.au_moins(5)
    doublons = await flux.reconcilier()
    assert doublons <= (2 * DOUBLONS_MAX if nom in DELIVRENT else 0)


@pytest.mark.parametrize("serveur", ["kafka", "mongo", "redis"])
async def test_un_serveur_absent_une_demi_minute_ne_perd_aucune_alerte(ville: Ville, serveur: str) -> None:
    flux = await ouvrir(ville)
    async with flux.coule():
        await flux.au_moins(5)
        await asyncio.to_thread(drill.stop, serveur)
        depuis = time.monotonic()

        async def demi_minute() -> bool:
            return time.monotonic() - depuis >= PANNE_S

        await jusqu_a(demi_minute, "la panne dure", PANNE_S + 5)
        await asyncio.to_thread(drill.start, serveur)
        await flux.au_moins(10)
    assert await flux.reconcilier() == 0


@pytest.mark.parametrize("serveur", ["kafka", "mongo", "redis"])
async def test_un_serveur_tue_ne_perd_aucune_alerte(ville: Ville, serveur: str) -> None:
    flux = await ouvrir(ville)
    async with flux.coule():
        await flux.au_moins(5)
        await tuer(ville, serveur)
        await flux.au_moins(10)
    assert await flux.reconcilier() == 0
