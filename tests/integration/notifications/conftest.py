"""One worker and one api on the real servers for all tests of the folder, and the mailbox that they write to.

One worker only: two with different mailboxes would take up each other's rows.
"""

import asyncio
import base64
import datetime as dt
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaConsumer
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from contracts.notifications import DesabonnementDemande, EnvoisRemis, ReponseParMessage
from kit.clock import SystemClock
from kit.database.mongo import Database, connect
from kit.http.health import Health
from kit.ids import new_id
from kit.messaging.events import Event, encode
from kit.messaging.producer import Producer
from services.notifications.app import create
from services.notifications.registre.store import Registre
from services.notifications.settings import Reglages
from services.notifications.worker import start
from tests.attente import Bientot
from tests.integration.notifications.annonces import Annonces
from tests.integration.notifications.boite import Boite
from tests.integration.notifications.operateurs import CLE, SECRET, Operateurs, ouverts
from tests.serveurs import Serveurs


@dataclass
class Poste:
    """What a test works with."""

    boite: Boite
    operateurs: Operateurs
    reglages: Reglages
    db: Database
    producer: Producer
    api: httpx.AsyncClient
    systeme: Callable[[], dict[str, str]]
    jeton: Callable[..., str]
    bientot: Bientot
    annonces: Annonces

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

    async def traite(self, event_id: str) -> None:
        """Once the event has acted."""

        async def found() -> bool:
            return await self.db.inbox.find_one({"_id": f"notifications:{event_id}"}) is not None

        await self.bientot(found)

    async def parti(self, **filtre: Any) -> dict[str, Any]:
        """The row, once it is handed over; its receipt may have come already."""
        return await self.ligne(etat={"$in": ["remis", "livre"]}, **filtre)

    def comme(self, compte_id: str = "", *roles: str) -> dict[str, str]:
        """The headers of somebody's request; of a visitor's without an account."""
        return {"Authorization": f"Bearer {self.jeton('notifications', sub=compte_id, roles=set(roles))}"}


Lire = Callable[[Callable[[Any], bool]], Awaitable[list[Any]]]

SECRET_RELAIS = "secret-du-relais"


def _cle() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def _paire() -> tuple[str, str]:
    """The keys with which notifications signs its calls to annonces: private, public."""
    cle = Ed25519PrivateKey.generate()
    publique = cle.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return cle.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(), publique.decode()


def _cle_vapid() -> str:
    cle = ec.generate_private_key(ec.SECP256R1())
    return cle.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.fixture(scope="session")
def boite() -> Boite:
    return Boite()


@pytest.fixture(scope="session")
async def poste(serveurs: Serveurs, boite: Boite, jeton: Callable[..., str], bientot: Bientot) -> AsyncIterator[Poste]:
    privee, publique = _paire()
    async with ouverts() as (operateurs, sms_http_url), Annonces(publique).ouverte() as annonces:
        settings = Reglages(
            mongo_url=serveurs.mongo_url,
            redis_url=serveurs.redis_url,
            kafka_url=serveurs.kafka_url,
            smtp_url=f"smtp://127.0.0.1:{boite.port}",
            public_url="https://place.exemple",
            connexions=3,
            # The same person is alerted over and over here.
            budget_semaine=0,
            # Belgium has a price here, beside France.
            sms_tarifs="32=7.5",
            # The second is the one that a rotation brings.
            cle_chiffrement=f"{_cle()},{_cle()}",
            secret_relais=SECRET_RELAIS,
            smpp_url=operateurs.smpp_url,
            sms_http_url=sms_http_url,
            sms_http_cle=CLE,
            sms_http_secret=SECRET,
            sms_a_toute_heure=True,
            cle_vapid=_cle_vapid(),
            jeton_cle_privee=privee,
            annonces_url=annonces.url,
            domaine_entrant="reponses.place.exemple",
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
                operateurs.api = client
                yield Poste(
                    boite,
                    operateurs,
                    settings,
                    mongo.db,
                    producer,
                    client,
                    lambda: {"Authorization": f"Bearer {jeton('notifications', roles={'systeme'})}"},
                    jeton,
                    bientot,
                    annonces,
                )
                operateurs.api = None
            stopping.set()
            await asyncio.gather(*tasks)
        await producer.stop()
        mongo.close()
        boite.fermer()


@pytest.fixture
async def lire(serveurs: Serveurs, poste: Poste) -> AsyncIterator[Lire]:
    """`await lire(condition)`: all events so far that fulfil it, once there is one."""
    classes = {c.type_name(): c for c in (EnvoisRemis, DesabonnementDemande, ReponseParMessage)}
    consumer = AIOKafkaConsumer(
        EnvoisRemis.topic,
        ReponseParMessage.topic,
        bootstrap_servers=serveurs.kafka_url,
        auto_offset_reset="earliest",
        group_id=None,
    )
    await consumer.start()
    lus: list[Any] = []

    async def attendre(condition: Callable[[Any], bool]) -> list[Any]:
        async def trouves() -> list[Any]:
            for records in (await consumer.getmany(timeout_ms=200)).values():
                lus.extend(classes[dict(r.headers)["ce_type"].decode()].model_validate_json(r.value) for r in records)
            return [event for event in lus if condition(event)]

        resultat: list[Any] = await poste.bientot(trouves)
        return resultat

    yield attendre
    await consumer.stop()


@pytest.fixture
def registre(poste: Poste) -> Registre:
    return Registre(poste.db, SystemClock())
