"""One worker and one api on the real servers for all tests of the folder, and the mailbox that they write to.

One worker only: two with different mailboxes would take up each other's rows.
"""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from kit.clock import SystemClock
from kit.events import Event, encode
from kit.health import Health
from kit.ids import new_id
from kit.mongo import Database, connect
from kit.producer import Producer
from services.notifications.app import create
from services.notifications.settings import Reglages
from services.notifications.store import Registre
from services.notifications.worker import start
from tests.integration.notifications.boite import Boite
from tests.serveurs import Serveurs


@dataclass
class Poste:
    """What a test works with."""

    boite: Boite
    db: Database
    producer: Producer
    api: httpx.AsyncClient
    systeme: Callable[[], dict[str, str]]
    jeton: Callable[..., str]
    bientot: Callable[..., Awaitable[Any]]

    async def publier(self, event: Event, event_id: str | None = None) -> str:
        event_id = event_id or new_id()
        await self.producer.publish([encode(event, event_id=event_id, source="test", at=dt.datetime.now(dt.UTC))])
        return event_id

    async def inscrire(self, *, accord: bool = True) -> tuple[str, str]:
        """A contact; returns (compte_id, address)."""
        compte_id = new_id()
        adresse = f"{compte_id[:12]}@exemple.fr"
        consentement = {"canal": "email", "accorde": accord, "preuve": "case cochée", "at": "2026-11-01T10:00:00Z"}
        corps = {"email": adresse, "consentements": [consentement], "version": 1}
        reponse = await self.api.put(f"/v1/interne/contacts/{compte_id}", json=corps, headers=self.systeme())
        assert reponse.status_code == 204, reponse.text
        return compte_id, adresse

    async def ligne(self, **filtre: Any) -> dict[str, Any]:
        """The one row that the filter finds, once it is there."""

        async def found() -> dict[str, Any] | None:
            return await self.db.envois.find_one(filtre)

        ligne: dict[str, Any] = await self.bientot(found)
        return ligne

    async def dans_l_etat(self, etat: str, **filtre: Any) -> dict[str, Any]:
        return await self.ligne(etat=etat, **filtre)


@pytest.fixture(scope="session")
def boite() -> Boite:
    return Boite()


@pytest.fixture(scope="session")
async def poste(
    serveurs: Serveurs, boite: Boite, jeton: Callable[..., str], bientot: Callable[..., Awaitable[Any]]
) -> AsyncIterator[Poste]:
    settings = Reglages(
        mongo_url=serveurs.mongo_url,
        redis_url=serveurs.redis_url,
        kafka_url=serveurs.kafka_url,
        smtp_url=f"smtp://127.0.0.1:{boite.port}",
        public_url="https://place.exemple",
        connexions=3,
    )
    boite.ouvrir()
    mongo = connect(serveurs.mongo_url, "notifications")
    producer = Producer(serveurs.kafka_url)
    stopping = asyncio.Event()
    app = create(settings)
    async with start(settings, Health()) as loops, app.router.lifespan_context(app):
        tasks = [asyncio.ensure_future(loop(stopping)) for loop in loops]
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://notifications") as client:
            yield Poste(
                boite,
                mongo.db,
                producer,
                client,
                lambda: {"Authorization": f"Bearer {jeton('notifications', roles={'systeme'})}"},
                jeton,
                bientot,
            )
        stopping.set()
        await asyncio.gather(*tasks)
    await producer.stop()
    mongo.close()
    boite.fermer()


@pytest.fixture
def registre(poste: Poste) -> Registre:
    return Registre(poste.db, SystemClock())
