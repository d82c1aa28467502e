"""The api and the worker of annonces on real servers, in this process."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaConsumer

from contracts import topics
from contracts.evenements import CATALOGUE
from kit.http.health import Health
from kit.messaging.events import headers_of
from kit.resources import open_runtime
from services.annonces.app import create
from services.annonces.handlers import HANDLERS
from services.annonces.settings import Reglages
from services.annonces.wiring import monter
from services.annonces.worker import start
from tests.attente import Bientot
from tests.integration.annonces.banc import Banc
from tests.serveurs import Serveurs


# Of one file: a worker that lived on would read what the tests of other services tell of annonces that are theirs.
@pytest.fixture(scope="module")
async def banc(
    serveurs: Serveurs, secrets_dir: Path, jeton: Callable[..., str], bientot: Bientot
) -> AsyncIterator[Banc]:
    reglages = Reglages(
        mongo_url=serveurs.mongo_url, redis_url=serveurs.redis_url, kafka_url=serveurs.kafka_url, expiration_s=0.2
    )
    app = create(reglages)
    stopping = asyncio.Event()
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://annonces") as client,
        open_runtime("annonces", reglages, Health()) as runtime,
        start(reglages, Health()) as loops,
    ):
        tasks = [asyncio.ensure_future(loop(stopping)) for loop in loops]
        deps = monter(runtime, reglages)
        processor = runtime.processor(HANDLERS, deps, CATALOGUE)
        banc = Banc(client, app, jeton, processor, runtime.producer, bientot)
        ecoute = asyncio.create_task(_ecouter(serveurs.kafka_url, banc.evenements))
        try:
            yield banc
        finally:
            ecoute.cancel()
            with suppress(asyncio.CancelledError):
                await ecoute
            stopping.set()
            await asyncio.gather(*tasks)


async def _ecouter(kafka_url: str, arrivees: list[Any]) -> None:
    consumer = AIOKafkaConsumer(
        *[topic.name for topic in topics.owned_by("annonces")],
        bootstrap_servers=kafka_url,
        group_id=None,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        async for raw in consumer:
            headers = headers_of(raw.headers)
            if headers.get("ce_source") != "/annonces":
                # Other tests write on these topics too, poison among it.
                continue
            classe = CATALOGUE[raw.topic][headers["ce_type"]]
            arrivees.append(classe.model_validate_json(raw.value))
    finally:
        await consumer.stop()
