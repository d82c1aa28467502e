"""An API restarts while people read and write: nobody sees an error."""

import asyncio
from collections import Counter

import pytest

from deploy.client import Client, Refus, jusqu_a
from deploy.verbs import drill
from tests.pile import Ville, annonce


@pytest.mark.parametrize("processus", ["annonces-api", "moderation-api"])
async def test_le_redemarrage_d_une_api_ne_coute_une_erreur_a_personne(ville: Ville, processus: str) -> None:
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
            except Refus as refus:
                vus[refus.status] += 1
            await asyncio.sleep(0.01)

    demandes = [
        demander(responsable, "GET", f"/v1/annonces/{posee}"),
        demander(responsable, "GET", "/v1/mes/annonces"),
        demander(agent, "GET", "/v1/moderation/dossiers?etat=a_traiter"),
        demander(responsable, "POST", "/v1/annonces", annonce(association, f"Chaises {ville.suffixe}")),
    ]
    taches = [asyncio.create_task(demande) for demande in demandes]

    async def avance(de: int) -> None:
        but = vus.total() + de

        async def atteint() -> bool:
            return vus.total() >= but

        await jusqu_a(atteint, f"{de} réponses de plus", 120)

    await avance(50)
    await asyncio.to_thread(drill.stop, processus)
    await asyncio.to_thread(drill.start, processus)
    await avance(50)
    fini.set()
    await asyncio.gather(*taches)
    assert [status for status in vus if status >= 500] == [], vus
