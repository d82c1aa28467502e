"""A worker inside the test process, for what needs no kill: relays and providers that misbehave."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from contracts.notifications import Canal
from deploy.client import jusqu_a
from kit.http.health import Health
from services.notifications.settings import Reglages
from services.notifications.worker import start
from tests.chaos.messages.envois import Scene

CONNEXIONS = 3


@asynccontextmanager
async def au_travail(lieu: Scene, **reglages: Any) -> AsyncIterator[None]:
    serveurs = lieu.serveurs
    settings = Reglages(
        mongo_url=serveurs.mongo_url,
        redis_url=serveurs.redis_url,
        kafka_url=serveurs.kafka_url,
        public_url="https://place.exemple",
        connexions=CONNEXIONS,
        budget_semaine=0,
        sms_a_toute_heure=True,
        sms_plafond_euros=0,
        **reglages,
    )
    stopping = asyncio.Event()
    async with start(settings, Health()) as loops:
        tasks = [asyncio.ensure_future(loop(stopping)) for loop in loops]
        try:
            yield
        finally:
            stopping.set()
            await asyncio.gather(*tasks)


async def tout_fini(lieu: Scene, nombre: int, canal: Canal = Canal.EMAIL) -> None:
    """The ledger has so many rows about the annonces of this test, and nothing is to happen with any."""
    siennes = {"canal": canal.value, "annonce_id": {"$in": [de.annonce_id for de in lieu.annonces]}}

    async def fini() -> bool:
        return await lieu.db.envois.count_documents(siennes) == nombre and not await lieu.en_route(canal)

    await jusqu_a(fini, "le registre", 90)
