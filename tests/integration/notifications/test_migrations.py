"""A ledger as earlier versions wrote it, brought to this one: nothing stays where nobody looks for it."""

import asyncio
import datetime as dt
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest

from contracts.envois import id_alerte
from contracts.notifications import Canal
from kit.clock import SystemClock
from kit.database.migrations import migrate
from kit.database.mongo import Mongo, connect
from kit.ids import new_id
from kit.messaging.outbox import Outbox
from kit.messaging.producer import Producer
from services.notifications import api
from services.notifications.contacts.encryption import ContactCipher
from services.notifications.contacts.store import Contacts
from services.notifications.delivery.claims import Claims
from services.notifications.domain import Cloture
from services.notifications.planning.channel_rules import SansRegles
from services.notifications.registre.queries import LedgerQueries
from services.notifications.registre.store import Registre
from services.notifications.schema import schema
from services.notifications.settings import Reglages
from tests.serveurs import Serveurs

PARTIEL: dict[str, Any] = {"partialFilterExpression": {"reprise_at": {"$exists": True}}}
ESPACE = uuid.UUID("6f0c2f5e-4f0e-4f8e-9a53-0a1c7b8de2aa")


def maintenant() -> dt.datetime:
    """Asked in each test: what is five minutes ahead must still be ahead when its test runs."""
    return dt.datetime.now(dt.UTC).replace(microsecond=0)


def ancien_id(annonce_id: str, version: int, profil_id: str, canal: str) -> str:
    """The id of an alert as the first versions made it."""
    return uuid.uuid5(ESPACE, "\x1f".join(("alerte", annonce_id, str(version), profil_id, canal))).hex


def alerte(annonce_id: str, profil_id: str, etat: str, **autres: Any) -> dict[str, Any]:
    return {
        "_id": ancien_id(annonce_id, 2, profil_id, "email"),
        "genre": "alerte",
        "canal": "email",
        "compte_id": f"c-{profil_id}",
        "profil_id": profil_id,
        "contenu_id": f"alerte:{annonce_id}",
        "annonce_id": annonce_id,
        "version": 2,
        "titre": "Une camionnette",
        "pourquoi": "à 400 m de chez vous",
        "etat": etat,
        "tentatives": 0,
        "cree_at": maintenant(),
        **autres,
    }


class Base:
    """Two processes of this version on a database that an older one left."""

    def __init__(self, serveurs: Serveurs) -> None:
        self.mongo: Mongo = connect(serveurs.mongo_url, f"avant_{new_id()[:12]}")
        self.db = self.mongo.db
        self.producer = Producer(serveurs.kafka_url)
        self.registre = Registre(self.db, SystemClock())

    async def migrer(self, jours: int = 365) -> None:
        reglages = Reglages(conservation_jours=jours)
        processus = [Outbox(self.mongo, self.producer, SystemClock(), "essai") for _ in range(2)]
        await asyncio.gather(*(migrate(self.db, outbox, schema(reglages)) for outbox in processus))

    async def lire(self, annonce_id: str) -> list[dict[str, Any]]:
        """What the ledger tells the reckoning."""
        return api._grouper(await LedgerQueries(self.db).alertes([annonce_id], None, 100))


@pytest.fixture
async def base(serveurs: Serveurs) -> AsyncIterator[Base]:
    base = Base(serveurs)
    yield base
    await base.mongo.client.drop_database(base.db.name)
    await base.producer.stop()
    base.mongo.close()


async def test_les_index_d_avant_laissent_la_place_a_ceux_d_aujourd_hui(base: Base) -> None:
    envois = base.db.envois
    await envois.create_index([("reprise_at", 1)], **PARTIEL)
    await envois.create_index([("profil_id", 1)], name="ouverts_par_profil", **PARTIEL)
    await envois.create_index([("annonce_id", 1)], name="ouverts_par_annonce", **PARTIEL)
    await envois.create_index([("profil_id", 1), ("cree_at", -1)], name="par_profil")
    await envois.create_index([("annonce_id", 1), ("_id", 1)], name="alertes_par_annonce")
    await envois.create_index([("resume_at", 1)], name="resumes_dus")
    await envois.create_index([("fournisseur", 1), ("reference", 1)], name="par_reference")
    await envois.create_index([("cree_at", 1)], expireAfterSeconds=365 * 24 * 3600)
    await base.migrer(jours=180)
    voulus = schema(Reglages(conservation_jours=180)).indexes
    for collection in {index.collection for index in voulus}:
        noms = set(await base.db[collection].index_information())
        assert noms == {"_id_", *(index.named for index in voulus if index.collection == collection)}
    assert (await envois.index_information())["cree_at_1"]["expireAfterSeconds"] == 180 * 24 * 3600


async def test_ce_qu_un_processus_d_avant_avait_en_main_n_y_reste_pas(base: Base) -> None:
    passe, futur = maintenant() - dt.timedelta(minutes=5), maintenant() + dt.timedelta(minutes=5)
    perdues = [alerte("a1", f"p{n}", "remise", lot="tue", reprise_at=passe, tentatives=1) for n in range(3)]
    tenue = alerte("a1", "p9", "remise", lot="vivant", reprise_at=futur, tentatives=1)
    await base.db.envois.insert_many([*perdues, tenue])
    await base.migrer()
    outbox = Outbox(base.mongo, base.producer, SystemClock(), "essai")
    claims = Claims(Canal.EMAIL, base.mongo, outbox, SystemClock(), SansRegles())
    assert await claims.give_up_expired() == 3
    etats = {row["_id"]: row["etat"] async for row in base.db.envois.find()}
    assert [etats[row["_id"]] for row in perdues] == ["incertain"] * 3
    # Whoever has it still prolongs it, as its lease says.
    assert etats[tenue["_id"]] == "remise"
    assert await claims.extend(["vivant"])


async def test_une_alerte_d_avant_est_expliquee_sous_l_identifiant_d_aujourd_hui(base: Base) -> None:
    annonce_id = new_id()
    await base.db.envois.insert_many([alerte(annonce_id, "p1", "remis"), alerte(new_id(), "p1", "remis")])
    recente = {**alerte(annonce_id, "p2", "remis"), "_id": id_alerte(annonce_id, 2, "p2", Canal.EMAIL)}
    await base.db.envois.insert_one(recente)
    await base.migrer()
    (groupe,) = await base.lire(annonce_id)
    assert set(groupe["envois"]) == {id_alerte(annonce_id, 2, nom, Canal.EMAIL) for nom in ("p1", "p2")}
    assert groupe["nombre"] == 2


async def test_une_alerte_d_avant_qui_attend_est_annulee_avec_son_annonce(base: Base) -> None:
    annonce_id = new_id()
    attend = alerte(annonce_id, "p1", "en_file", reprise_at=maintenant() + dt.timedelta(hours=8))
    ailleurs = alerte(new_id(), "p1", "en_file", reprise_at=maintenant() + dt.timedelta(hours=8))
    await base.db.envois.insert_many([attend, ailleurs])
    await base.migrer()

    async def clore(session: Any) -> None:
        await base.registre.clore(annonce_id, Cloture(3, definitive=True), session)

    await base.mongo.transaction(clore)
    etats = {row["_id"]: row["etat"] async for row in base.db.envois.find()}
    assert etats == {attend["_id"]: "annulee", ailleurs["_id"]: "en_file"}


async def test_un_flux_que_quelqu_un_suit_reste_ouvert(base: Base) -> None:
    await base.db.envois.insert_many([alerte("a1", "p1", "remis"), alerte("a1", "p2", "remis")])
    await base.db.contacts.insert_many([{"_id": "c-p1"}, {"_id": "c-p2", "efface": True}])
    await base.migrer()
    contacts = Contacts(base.db, ContactCipher("A" * 43 + "="))
    assert await contacts.dont_le_flux("p1") == "c-p1"
    # An erased account stays erased.
    assert await contacts.dont_le_flux("p2") is None


async def test_le_lieu_exact_de_quelqu_un_ne_reste_pas_dans_les_contenus(base: Base) -> None:
    lieu = {"quartier": "fives", "lat": 50.63712, "lon": 3.06345}
    await base.db.contenus.insert_many(
        [
            {"_id": "alerte", "donnees": {"titre": "t", "lieu": lieu}},
            {"_id": "resume", "donnees": {"titre": "t", "annonces": [{"lieu": lieu}, {"titre": "sans"}]}},
            {"_id": "code", "donnees": {"code": "1"}},
        ]
    )
    await base.migrer()
    gardes = {row["_id"]: row["donnees"] async for row in base.db.contenus.find()}
    assert gardes["alerte"]["lieu"] == {"quartier": "fives"}
    assert gardes["resume"]["annonces"] == [{"lieu": {"quartier": "fives"}}, {"titre": "sans"}]
    assert gardes["code"] == {"code": "1"}
