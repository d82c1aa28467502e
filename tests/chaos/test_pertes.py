"""A server loses all its data: what must be true afterwards is the table of docs/pertes.md."""

import asyncio
import shutil

import pytest
from pymongo import MongoClient

from deploy.client import jusqu_a
from deploy.verbs import down, drill, reparer, status, up
from tests.chaos.flux import ouvrir
from tests.pile import Ville

pytestmark = pytest.mark.chaos


def perdre(ville: Ville, nom: str) -> None:
    """The server is gone with its data; an empty one takes its place, while everything else runs on."""
    drill.stop(nom)
    effacer(ville, nom)
    drill.start(nom)


def effacer(ville: Ville, nom: str) -> None:
    shutil.rmtree(ville.stack.layout.data / nom)
    next(server for server in ville.stack.servers if server.name == nom).prepare()


async def test_kafka_perd_ses_donnees_pendant_que_tout_tourne(ville: Ville) -> None:
    """Nothing that was on its way is lost, nobody is alerted twice, and a new worker finds every profil."""
    flux = await ouvrir(ville)
    async with flux.coule():
        await flux.au_moins(10)
        await asyncio.to_thread(perdre, ville, "kafka")
        await flux.au_moins(10)
    await ville.index_a_jour()
    assert await flux.reconcilier() == 0
    await asyncio.to_thread(drill.stop, "matching-worker")
    await asyncio.to_thread(drill.start, "matching-worker")
    await ville.index_a_jour()
    async with flux.coule():
        await flux.au_moins(3)
    assert await flux.reconcilier() == 0


async def test_kafka_perd_ses_donnees_pendant_l_arret(ville: Ville) -> None:
    flux = await ouvrir(ville)
    async with flux.coule():
        await flux.au_moins(5)
    await asyncio.to_thread(down.run)
    await asyncio.to_thread(effacer, ville, "kafka")
    await asyncio.to_thread(up.run, wished={})
    async with flux.coule():
        await flux.au_moins(5)
    assert await flux.reconcilier() == 0


async def test_reparer_a_la_main_n_alerte_personne_deux_fois(ville: Ville) -> None:
    flux = await ouvrir(ville)
    async with flux.coule():
        await flux.au_moins(5)
    assert await flux.reconcilier() == 0
    assert await asyncio.to_thread(reparer.run)
    async with flux.coule():
        await flux.au_moins(2)
    assert await flux.reconcilier() == 0


@pytest.mark.parametrize("base", ["annonces", "moderation", "matching"])
async def test_une_base_perdue_se_dit_et_la_ville_continue(ville: Ville, base: str) -> None:
    """Nothing can make it again: whoever operates the platform is told, until they answer. What is new works at once:
    people log in again, and what they write from then on reaches everybody."""
    flux = await ouvrir(ville)
    async with flux.coule():
        await flux.au_moins(2)
    assert await flux.reconcilier() == 0
    client: MongoClient[dict[str, object]] = MongoClient(ville.stack.urls()["MONGO_URL"])
    await asyncio.to_thread(client.drop_database, base)
    client.close()
    processus = base if base == "gateway" else f"{base}-worker"

    async def dite() -> bool:
        lignes = {ligne.nom: ligne for ligne in await asyncio.to_thread(status.collect)}
        return "base" in lignes[processus].injoignables

    await jusqu_a(dite, "la base perdue est dite", 120)
    assert await asyncio.to_thread(reparer.run)
    assert not await dite()
    ville.agent = None
    flux = await ouvrir(ville)
    async with flux.coule():
        await flux.au_moins(3)
    assert await flux.reconcilier() == 0


async def test_redis_perd_ses_donnees(ville: Ville) -> None:
    """Sessions and codes are gone, so people log in again; nothing that they wrote is."""
    flux = await ouvrir(ville)
    async with flux.coule():
        await flux.au_moins(5)
    await asyncio.to_thread(perdre, ville, "redis")
    flux.responsable = await ville.entrer("responsable")
    async with flux.coule():
        await flux.au_moins(5)
    assert await flux.reconcilier() == 0
