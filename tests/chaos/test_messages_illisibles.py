"""A flood of messages that nobody can read, and workers that are killed meanwhile: every annonce reaches everybody."""

import asyncio
import random
import secrets

import pytest

from contracts.annonces import AnnoncePubliee
from deploy.bilan.alerts import calme
from deploy.verbs import dlq
from kit.messaging.deadletters import dead_letter_topic
from kit.messaging.events import Message
from kit.messaging.producer import Producer
from tests.chaos.flux import RETABLIE_S, ouvrir
from tests.chaos.test_pannes import tuer
from tests.pile import Ville

pytestmark = pytest.mark.chaos

ILLISIBLES, ANNONCES = 600, 60


async def inonder(ville: Ville) -> None:
    """They have all keys, so they lie in all partitions, between the annonces."""
    producer = Producer(ville.kafka)
    try:
        for _ in range(ILLISIBLES // 20):
            await producer.publish([_illisible() for _ in range(20)])
    finally:
        await producer.stop()


def _illisible() -> Message:
    headers = {"ce_id": secrets.token_hex(8), "ce_type": AnnoncePubliee.type_name()}
    return Message(AnnoncePubliee.topic, secrets.token_hex(4).encode(), b"{}", headers)


@pytest.mark.parametrize("manche", range(2))
async def test_un_flot_de_messages_illisibles_et_des_morts_brutales_ne_perdent_aucune_annonce(
    ville: Ville, manche: int
) -> None:
    flux = await ouvrir(ville)
    async with flux.coule():
        inondation = asyncio.create_task(inonder(ville))
        while len(flux.acceptees) < ANNONCES:
            await flux.au_moins(random.randint(5, 20))
            await tuer(ville, "matching-worker")
        await inondation
    assert await flux.reconcilier() == 0
    bilan = await calme(ville.kafka, ville.interne, set(flux.acceptees.values()), secondes=RETABLIE_S)
    assert (bilan.total.inexpliquees, bilan.total.en_route) == (0, 0)
    # Others share the stack: what is held is let go.
    await asyncio.to_thread(dlq.close, dead_letter_topic(AnnoncePubliee.topic, "matching"))
