"""The api and the worker of moderation on real servers, in this process."""

import asyncio
import datetime as dt
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson
import pytest
from aiokafka import AIOKafkaConsumer

from contracts.annonces import Annonce, AnnonceDeposee, Association, AssociationInscrite, EvenementAnnonce
from contracts.base import Evenement
from contracts.commun import Auteur
from contracts.evenements import CATALOGUE
from contracts.moderation import DecisionPrise
from kit.clock import SystemClock
from kit.database import mongo
from kit.http.health import Health
from kit.ids import new_id
from kit.messaging.events import Record, encode
from kit.messaging.outbox import Outbox
from kit.messaging.producer import Producer
from kit.resources import open_runtime
from services.moderation.actions import Actions
from services.moderation.app import create
from services.moderation.handlers import HANDLERS, Deps
from services.moderation.settings import Reglages
from services.moderation.store import Store
from services.moderation.worker import start
from tests.serveurs import Serveurs

NOW = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
LIEU = {"quartier": "fives", "lat": 50.63, "lon": 3.09}


@dataclass
class Banc:
    """The service under test: `publier` sends events as annonces would, `traiter` skips Kafka."""

    client: httpx.AsyncClient
    reglages: Reglages
    jeton: Callable[..., str]
    producer: Producer
    arrivees: list[dict[str, Any]] = field(default_factory=list)

    def tete(self, sub: str, *roles: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.jeton('moderation', sub=sub, roles=set(roles))}"}

    async def publier(self, *events: Evenement) -> None:
        await self.producer.publish(
            [encode(event, event_id=new_id(), source="annonces", at=dt.datetime.now(dt.UTC)) for event in events]
        )

    async def traiter(self, *events: Evenement, politique: str = "pre") -> None:
        """Hands events to the handlers in this order, through inbox and outbox, and returns when they are done."""
        reglages = self.reglages.model_copy(update={"politique": politique})
        async with open_runtime("moderation", reglages, Health()) as runtime:
            deps = Deps(Store(runtime.mongo.db), reglages, runtime.clock)
            processor = runtime.processor(HANDLERS, deps, CATALOGUE)
            for event in events:
                message = encode(event, event_id=new_id(), source="annonces", at=dt.datetime.now(dt.UTC))
                record = Record(event.topic, 0, 0, message.key, message.value, message.headers, int(time.time() * 1000))
                await processor.process([record])

    async def get(self, chemin: str, sub: str = "mod", **params: Any) -> httpx.Response:
        return await self.client.get(chemin, params=params, headers=self.tete(sub, "moderateur"))

    async def post(self, chemin: str, corps: Any = None, sub: str = "mod") -> httpx.Response:
        return await self.client.post(chemin, json=corps, headers=self.tete(sub, "moderateur"))

    async def put(self, chemin: str, corps: Any, sub: str = "mod") -> httpx.Response:
        return await self.client.put(chemin, json=corps, headers=self.tete(sub, "moderateur"))

    async def dossier(self, cible_id: str, etat: str = "") -> dict[str, Any]:
        """The dossier of a cible, {} while there is none."""
        params = {"cible_id": cible_id} | ({"etat": etat} if etat else {})
        body = (await self.get("/v1/moderation/dossiers", **params)).json()
        return body["dossiers"][0] if body["dossiers"] else {}

    def decisions(self, cible_id: str) -> list[dict[str, Any]]:
        """What has arrived so far on moderation.decision.v1 about a cible."""
        return [d for d in self.arrivees if d["cible_id"] == cible_id]

    async def ecouter(self) -> None:
        """Collects what is published on moderation.decision.v1, until it is cancelled."""
        consumer = AIOKafkaConsumer(
            DecisionPrise.topic,
            bootstrap_servers=self.reglages.kafka_url,
            group_id=new_id(),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        await consumer.start()
        try:
            async for record in consumer:
                self.arrivees.append(orjson.loads(record.value)["decision"])
        finally:
            await consumer.stop()


@asynccontextmanager
async def ouvrir(serveurs: Serveurs, jeton: Callable[..., str], **champs: Any) -> AsyncIterator[Banc]:
    reglages = Reglages(
        mongo_url=serveurs.mongo_url, redis_url=serveurs.redis_url, kafka_url=serveurs.kafka_url, **champs
    )
    app = create(reglages)
    producer = Producer(reglages.kafka_url)
    stopping = asyncio.Event()
    async with app.router.lifespan_context(app), start(reglages, Health()) as loops:
        tasks = [asyncio.ensure_future(loop(stopping)) for loop in loops]
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://moderation") as client:
            found = Banc(client, reglages, jeton, producer)
            ecoute = asyncio.create_task(found.ecouter())
            yield found
            ecoute.cancel()
            with suppress(asyncio.CancelledError):
                await ecoute
        stopping.set()
        await asyncio.gather(*tasks)
        await producer.stop()


@pytest.fixture(scope="session")
async def banc(serveurs: Serveurs, jeton: Callable[..., str]) -> AsyncIterator[Banc]:
    async with ouvrir(serveurs, jeton) as found:
        yield found


@pytest.fixture
def actions(serveurs: Serveurs) -> Any:
    """Opens Actions with a lease of its own: `async with actions(dt.timedelta(…)) as found`."""

    @asynccontextmanager
    async def make(bail: dt.timedelta) -> AsyncIterator[Actions]:
        database = mongo.connect(serveurs.mongo_url, "moderation")
        producer = Producer(serveurs.kafka_url)
        outbox = Outbox(database, producer, SystemClock(), "moderation")
        yield Actions(Store(database.db), outbox, SystemClock(), bail)
        await outbox.settle()
        await producer.stop()
        database.close()

    return make


def annonce(classe: type[EvenementAnnonce] = AnnonceDeposee, **champs: Any) -> EvenementAnnonce:
    base = {
        "annonce_id": new_id(),
        "version": 1,
        "etat": "deposee",
        "sens": "besoin",
        "nature": "logistique",
        "titre": "Une camionnette pour un samedi",
        "description": "Nous cherchons une camionnette avec conducteur pour porter des meubles, samedi matin, à Fives.",
        "categories": ["vehicule-transport"],
        "lieu": LIEU,
        "places": 1,
        "places_restantes": 1,
        "auteur": Auteur(type="particulier", compte_id=new_id()),
        "deposee_at": NOW,
        "expire_at": NOW + dt.timedelta(days=60),
    }
    return classe(annonce=Annonce.model_validate(base | champs))


def association(classe: Any = AssociationInscrite, **champs: Any) -> Any:
    compte = new_id()
    base = {
        "association_id": new_id(),
        "version": 1,
        "etat": "inscrite",
        "nom": "Les Voisins de Fives",
        "rna": "W591234567",
        "description": "Entraide entre voisins : repas partagés, déménagements, écrivain public, sorties en famille.",
        "domaines": ["solidarite-et-insertion"],
        "lieu": LIEU,
        "engagement": {"version": "decret-2021-1947", "signe_at": NOW, "signe_par": compte},
        "membres": [compte, new_id()],
        "inscrite_at": NOW,
    }
    return classe(association=Association.model_validate(base | champs))
