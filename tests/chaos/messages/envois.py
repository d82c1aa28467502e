"""People, annonces that concern them, and everything that a worker hands their messages to."""

import asyncio
import datetime as dt
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web

from contracts import topics
from contracts.annonces import Annonce
from contracts.comptes import Consentement
from contracts.envois import Etat, id_alerte
from contracts.matching import Destinataire
from contracts.notifications import Canal
from deploy.standins.sms_operators.http import CallbackTarget, Fournisseur
from deploy.standins.sms_operators.pannes import Pannes
from deploy.standins.sms_operators.registre import OperatorStore
from deploy.standins.sms_operators.remise import Sms
from deploy.standins.sms_operators.session import Acces
from deploy.standins.sms_operators.smsc import Smsc
from kit.database.mongo import Database, Mongo, connect
from kit.ids import new_id
from kit.messaging.events import encode
from kit.messaging.producer import Producer
from kit.messaging.topics import ensure
from services.notifications.contacts.encryption import ContactCipher
from services.notifications.contacts.store import Contacts, Fiche
from services.notifications.settings import SERVICE, Reglages
from tests.integration.notifications.faits import annonce, correspondances, destinataire
from tests.serveurs import Serveurs, serveurs
from tests.unit.notifications.email.relais_smtp import Script, relais, usuel

SMPP_MOT_DE_PASSE, CLE_HTTP = "secret", "cle-d-essai"
_MESSAGE_ID = re.compile(rb"^Message-ID: <([^@>]+)@", re.MULTILINE | re.IGNORECASE)
_TITRE = re.compile(r"Besoin : (Flux \d+)")


@contextmanager
def a_nous(folder: Path) -> Iterator[Serveurs]:
    """Servers that nobody else uses: a worker of another test would take up our rows."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("MONGO_URL", "REDIS_URL", "KAFKA_URL"):
            patch.delenv(name, raising=False)
        with serveurs(folder) as found:
            yield found


@dataclass
class Arrivees:
    """What the relay and the phones took. `guet` is told of each message before the worker gets its answer."""

    mails: Counter[str] = field(default_factory=Counter)
    """By envoi: its id is in the Message-ID."""
    sms: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By number and title."""
    guet: Callable[[], None] = lambda: None

    @property
    def total(self) -> int:
        return self.mails.total() + self.sms.total()

    def mail(self, contenu: bytes) -> None:
        trouve = _MESSAGE_ID.search(contenu)
        assert trouve is not None, contenu[:400]
        self.mails[trouve[1].decode()] += 1
        self.guet()

    async def remettre(self, sms: Sms) -> None:
        """The phones of `deploy.standins.sms_operators`."""
        trouve = _TITRE.match(sms.texte)
        assert trouve is not None, sms.texte
        self.sms[sms.a, trouve[1]] += 1
        self.guet()

    @asynccontextmanager
    async def encore(self, nombre: int, agir: Callable[[], None]) -> AsyncIterator[asyncio.Event]:
        """`agir` is called as the `nombre`-th message from now arrives; the event tells when."""
        but, atteint = self.total + nombre, asyncio.Event()

        def guet() -> None:
            if self.total >= but and not atteint.is_set():
                atteint.set()
                agir()

        self.guet = guet
        try:
            yield atteint
        finally:
            self.guet = lambda: None


@dataclass(frozen=True)
class Personne:
    compte_id: str
    profil_id: str
    numero: str | None

    bref: bool
    """One reason to be told instead of three: an SMS of one part instead of two."""

    @property
    def destinataire(self) -> Destinataire:
        tous = destinataire(self.compte_id, self.profil_id)
        return tous.model_copy(update={"raisons": tous.raisons[:1]}) if self.bref else tous


@dataclass
class Scene:
    """A database, topics, people, and annonces that concern all of them."""

    serveurs: Serveurs
    mongo: Mongo
    producer: Producer
    personnes: Sequence[Personne] = ()
    annonces: list[Annonce] = field(default_factory=list)

    @property
    def db(self) -> Database:
        return self.mongo.db

    async def inscrire(self, nombre: int, avec_sms: int) -> None:
        """`nombre` people who want mails, the first `avec_sms` of them SMS too."""
        contacts = Contacts(self.db, ContactCipher(Reglages().cle_chiffrement))
        siens = [
            Personne(new_id(), new_id(), f"+336{rang:08d}" if rang < avec_sms else None, bref=rang % 2 == 0)
            for rang in range(nombre)
        ]
        at = dt.datetime(2026, 11, 1, 10, tzinfo=dt.UTC)
        fiches = [
            Fiche(
                personne.compte_id,
                f"{personne.compte_id}@exemple.fr",
                [
                    Consentement(canal=canal, accorde=True, preuve="essai", at=at)
                    for canal in (Canal.EMAIL, Canal.SMS)
                    if canal is Canal.EMAIL or personne.numero
                ],
                1,
            )
            for personne in siens
        ]
        await contacts.enregistrer(fiches)
        for personne in siens[:avec_sms]:
            compte_id, numero = personne.compte_id, personne.numero
            assert numero is not None

            async def donner(session: Any, compte_id: str = compte_id, numero: str = numero) -> None:
                await contacts.donner_numero(compte_id, numero, session)

            await self.mongo.transaction(donner)
        self.personnes = siens

    async def publier(self, nombre: int) -> None:
        """So many more annonces that concern everybody."""
        messages = []
        for _ in range(nombre):
            de = annonce(titre=f"Flux {len(self.annonces):04d}")
            self.annonces.append(de)
            event = correspondances(de, *[personne.destinataire for personne in self.personnes])
            messages.append(encode(event, event_id=new_id(), source="test", at=dt.datetime.now(dt.UTC)))
        await self.producer.publish(messages)

    def attendus(self, canal: Canal) -> dict[str, tuple[str, str]]:
        """The id of each row that there must be on a channel, and the number and title by which phones know it."""
        return {
            id_alerte(de.annonce_id, de.version, personne.profil_id, canal): (personne.numero or "", de.titre)
            for de in self.annonces
            for personne in self.personnes
            if canal is Canal.EMAIL or personne.numero
        }

    async def en_route(self, *canaux: Canal) -> int:
        """Rows with which something is still to happen, on these channels, or on all."""
        ouverts = [etat.value for etat in (Etat.EN_FILE, Etat.REMISE, Etat.ECHEC_TEMPORAIRE)]
        repris = {"etat": Etat.INCERTAIN.value, "reprise_at": {"$exists": True}}
        sur = {"canal": {"$in": [canal.value for canal in canaux or Canal]}}
        return await self.db.envois.count_documents({**sur, "$or": [{"etat": {"$in": ouverts}}, repris]})

    async def abreger(self) -> int:
        """Time passes: the pauses after a failed attempt (up to five minutes) are over. Returns how many there were."""
        now = dt.datetime.now(dt.UTC)
        pauses = [Etat.INCERTAIN.value, Etat.ECHEC_TEMPORAIRE.value]
        filtre = {"etat": {"$in": pauses}, "reprise_at": {"$gt": now + dt.timedelta(seconds=1)}}
        return (await self.db.envois.update_many(filtre, {"$set": {"reprise_at": now}})).modified_count

    async def etats(self, canal: Canal) -> Counter[str]:
        groupes = self.db.envois.aggregate(
            [{"$match": {"canal": canal.value}}, {"$group": {"_id": "$etat", "n": {"$sum": 1}}}]
        )
        return Counter({groupe["_id"]: groupe["n"] async for groupe in groupes})


@asynccontextmanager
async def scene(serveurs: Serveurs) -> AsyncIterator[Scene]:
    mongo, producer = connect(serveurs.mongo_url, SERVICE), Producer(serveurs.kafka_url)
    try:
        await ensure(serveurs.kafka_url, topics.owned_by(SERVICE), topics.read_by(SERVICE), consumer=SERVICE)
        yield Scene(serveurs, mongo, producer)
    finally:
        await producer.stop()
        mongo.close()


@asynccontextmanager
async def smtp(arrivees: Arrivees, script: Script = usuel) -> AsyncIterator[dict[str, str]]:
    """A mailbox that `script` may make misbehave; yields the variables by which a worker finds it."""
    async with relais(script) as boite:
        boite.livres = _Livres(arrivees)
        yield {"SMTP_URL": boite.url}


class _Livres(list[tuple[str, bytes]]):
    """Counts instead of keeping."""

    def __init__(self, arrivees: Arrivees) -> None:
        self._arrivees = arrivees

    def append(self, livre: tuple[str, bytes]) -> None:
        self._arrivees.mail(livre[1])


@asynccontextmanager
async def operateurs(arrivees: Arrivees) -> AsyncIterator[dict[str, str]]:
    """Both SMS operators in this process; yields the variables by which a worker finds them."""
    smsc = Smsc(Acces("place", SMPP_MOT_DE_PASSE), OperatorStore(), arrivees, Pannes())
    port = await smsc.demarrer("127.0.0.1", 0)
    async with ClientSession() as http:
        fournisseur = Fournisseur(CallbackTarget("", "", CLE_HTTP), OperatorStore(), arrivees, Pannes(), http)
        runner = web.AppRunner(fournisseur.application(), access_log=None, shutdown_timeout=1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            yield {
                "SMPP_URL": f"smpp://place:{SMPP_MOT_DE_PASSE}@127.0.0.1:{port}?source=PLACE",
                "SMS_HTTP_URL": f"http://127.0.0.1:{runner.addresses[0][1]}/messages",
                "SMS_HTTP_CLE": CLE_HTTP,
            }
        finally:
            await runner.cleanup()
            await smsc.fermer()
