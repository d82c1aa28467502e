"""The api and a worker of matching in the test's own loop, on real servers."""

import asyncio
import datetime as dt
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from contracts.annonces import Annonce, AnnoncePubliee, EtatAnnonce
from contracts.base import Evenement
from contracts.commun import Auteur, Lieu, Nature, Sens, TypeAuteur
from kit.http.health import Health
from kit.messaging.events import encode
from kit.messaging.producer import Producer
from services.matching.app import create
from services.matching.index import Index
from services.matching.settings import Reglages
from services.matching.worker import start


@pytest.fixture(scope="session")
def reglages(serveurs: Any, secrets_dir: Path) -> Reglages:
    return Reglages(
        mongo_url=serveurs.mongo_url,
        kafka_url=serveurs.kafka_url,
        jeton_cle_publique=(secrets_dir / "commun" / "jeton_cle_publique").read_text(),
    )


class Api:
    """`await api("POST", "/v1/profils", compte, json=…)`"""

    def __init__(self, client: httpx.AsyncClient, jeton: Callable[..., str]) -> None:
        self._client, self._jeton = client, jeton

    async def __call__(
        self, method: str, path: str, sub: str = "", roles: frozenset[str] = frozenset(), **more: Any
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self._jeton('matching', sub, roles)}", **more.pop("headers", {})}
        return await self._client.request(method, path, headers=headers, **more)


@pytest.fixture(scope="session")
async def api(reglages: Reglages, jeton: Callable[..., str], bientot: Any) -> AsyncIterator[Api]:
    app = create(reglages)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://matching") as client,
    ):

        async def ready() -> bool:
            return not await app.state.health.failures()

        await bientot(ready)
        yield Api(client, jeton)


@asynccontextmanager
async def running_worker(settings: Reglages, index: Index) -> AsyncIterator[Health]:
    """A worker without its process; stops gracefully, and fails the test when a loop has failed."""
    health, stopping = Health(), asyncio.Event()
    async with start(settings, health, index) as loops:
        tasks = [asyncio.ensure_future(loop(stopping)) for loop in loops]
        try:
            yield health
        finally:
            stopping.set()
            await asyncio.gather(*tasks)


@pytest.fixture(scope="session")
def index() -> Index:
    """The index of the worker."""
    return Index()


@pytest.fixture(scope="session")
async def worker(reglages: Reglages, index: Index, api: Api, bientot: Any) -> AsyncIterator[Health]:
    async with running_worker(reglages, index) as health:

        async def ready() -> bool:
            return not await health.failures()

        await bientot(ready)
        yield health


@pytest.fixture(scope="session")
async def publier(reglages: Reglages) -> AsyncIterator[Callable[..., Any]]:
    """`await publier(event)`: as its owner would."""
    producer = Producer(reglages.kafka_url)

    async def publish(event: Evenement, event_id: str | None = None) -> None:
        at = dt.datetime.now(dt.UTC)
        await producer.publish([encode(event, event_id=event_id or uuid.uuid4().hex, source="annonces", at=at)])

    yield publish
    await producer.stop()


@pytest.fixture
def lieu() -> dict[str, float]:
    """A place that no other test uses, since they share the servers."""
    random = uuid.uuid4().int
    return {"lat": 42 + random % 7_000 / 1000, "lon": random // 7_000 % 170_000 / 1000}


@pytest.fixture
def annonce(lieu: dict[str, float]) -> Callable[..., Annonce]:
    def make(**changes: Any) -> Annonce:
        now = dt.datetime.now(dt.UTC)
        values: dict[str, Any] = {
            "annonce_id": uuid.uuid4().hex,
            "version": 2,
            "etat": EtatAnnonce.PUBLIEE,
            "sens": Sens.BESOIN,
            "nature": Nature.LOGISTIQUE,
            "titre": "Une camionnette samedi",
            "description": "Pour déménager des livres.",
            "categories": ["vehicule-transport"],
            "creneaux": ["samedi-matin"],
            "lieu": Lieu(**lieu),
            "places": 1,
            "places_restantes": 1,
            "auteur": Auteur(type=TypeAuteur.ASSOCIATION, compte_id="auteur"),
            "deposee_at": now,
            "expire_at": now + dt.timedelta(days=5),
        }
        return Annonce(**(values | changes))

    return make


@pytest.fixture
def publiee(annonce: Callable[..., Annonce]) -> Callable[..., AnnoncePubliee]:
    return lambda **changes: AnnoncePubliee(annonce=annonce(**changes))
