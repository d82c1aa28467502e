"""The processes of the APIs restart in turn while people read and write: nobody sees an error."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from deploy.client import Client, RequestRefused, jusqu_a
from deploy.stack import embedded
from deploy.stack.embedded import Stack
from deploy.stack.processes import SERVICES
from deploy.verbs import drill, scale
from tests.pile import Ville, annonce

pytestmark = pytest.mark.e2e
_APIS = [f"{service}-api" for service in SERVICES]


@pytest.fixture
async def deux_de_chaque(pile: Stack) -> AsyncIterator[Stack]:
    """Two processes for each API, for the time of a test."""
    await asyncio.to_thread(scale.run, [f"{api}=2" for api in _APIS])
    yield embedded.existing(pile.layout)
    await asyncio.to_thread(scale.run, [f"{api}=1" for api in _APIS])


async def test_un_redemarrage_en_roulement_ne_coute_une_erreur_a_personne(deux_de_chaque: Stack, ville: Ville) -> None:
    responsable = await ville.entrer("responsable")
    association = await ville.association(responsable)
    agent = await ville.moderer()
    posee = (await responsable.post("/v1/annonces", annonce(association, f"Tables {ville.suffixe}")))["annonce_id"]
    vus: Counter[int] = Counter()
    fini = asyncio.Event()

    async def demander(qui: Client, methode: str, chemin: str, corps: object = None) -> None:
        while not fini.is_set():
            try:
                await qui.call(methode, chemin, corps)
                vus[200] += 1
            except RequestRefused as refus:
                vus[refus.status] += 1
            # Ten a second each: more would meet the limits of the public door.
            await asyncio.sleep(0.1)

    demandes = [
        demander(responsable, "GET", f"/v1/annonces/{posee}"),
        demander(responsable, "GET", "/v1/profils"),
        demander(responsable, "GET", "/v1/mes/preferences"),
        demander(agent, "GET", "/v1/moderation/dossiers?etat=a_traiter"),
        demander(responsable, "POST", "/v1/annonces", annonce(association, f"Chaises {ville.suffixe}")),
    ]
    taches = [asyncio.create_task(demande) for demande in demandes]

    async def avance(de: int) -> None:
        but = vus.total() + de

        async def atteint() -> bool:
            return vus.total() >= but

        await jusqu_a(atteint, f"{de} réponses de plus", 120)

    for processus in (_APIS, [f"{api}-2" for api in _APIS]):
        await avance(50)
        await asyncio.gather(*(asyncio.to_thread(drill.stop, name) for name in processus))
        await avance(50)
        await asyncio.gather(*(asyncio.to_thread(drill.start, name) for name in processus))
    await avance(50)
    fini.set()
    await asyncio.gather(*taches)
    assert set(vus) == {200}, vus
