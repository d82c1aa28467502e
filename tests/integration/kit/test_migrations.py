"""A database is brought to what the code expects: once, by one of several processes, whatever was there before."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from typing import Any

import pytest

from kit.clock import SystemClock
from kit.database import migrations
from kit.database.indexes import Index
from kit.database.migrations import LeaseLost, MigrationContext, Schema, migrate
from kit.database.mongo import Database, Mongo, connect
from kit.errors import Stop
from kit.ids import new_id
from kit.messaging.outbox import Outbox, Tx
from kit.messaging.producer import Producer
from tests.attente import Bientot
from tests.serveurs import Serveurs

JOURS = 24 * 3600


class Processus:
    """One of several that start at the same time on the same database."""

    def __init__(self, serveurs: Serveurs, nom: str) -> None:
        self.mongo: Mongo = connect(serveurs.mongo_url, nom)
        self.producer = Producer(serveurs.kafka_url)
        self.outbox = Outbox(self.mongo, self.producer, SystemClock(), nom)

    @property
    def db(self) -> Database:
        return self.mongo.db

    async def demarrer(self, schema: Schema) -> None:
        await migrate(self.db, self.outbox, schema)

    async def fermer(self) -> None:
        await self.outbox.settle()
        await self.producer.stop()
        self.mongo.close()


@pytest.fixture
async def processus(serveurs: Serveurs) -> AsyncIterator[list[Processus]]:
    nom = f"migrations_{new_id()[:12]}"
    trois = [Processus(serveurs, nom) for _ in range(3)]
    yield trois
    await trois[0].mongo.client.drop_database(nom)
    for un in trois:
        await un.fermer()


def ajoute(nom: str) -> migrations.Migration:
    """A migration that leaves a trace each time that it runs."""

    async def migration(base: MigrationContext) -> None:
        async def work(tx: Tx) -> None:
            await tx.db.traces.insert_one({"nom": nom}, session=tx.session)

        await base.run(work)

    return migration


async def traces(db: Database) -> list[str]:
    return [row["nom"] async for row in db.traces.find().sort("_id", 1)]


async def version(db: Database) -> Any:
    return (await db.schema.find_one({"_id": "schema"}))["version"]  # type: ignore[index]  # it is there


async def test_trois_processus_qui_demarrent_ensemble_migrent_une_fois(processus: list[Processus]) -> None:
    schema = Schema([Index("traces", [("nom", 1)])], [ajoute("un"), ajoute("deux")])
    await asyncio.gather(*(un.demarrer(schema) for un in processus))
    db = processus[0].db
    assert await traces(db) == ["un", "deux"]
    assert await version(db) == 2
    assert set(await db.traces.index_information()) == {"_id_", "nom_1"}


async def test_une_base_a_jour_ne_fait_que_ce_qui_manque(processus: list[Processus]) -> None:
    un = processus[0]
    await un.demarrer(Schema((), [ajoute("un")]))
    await un.demarrer(Schema((), [ajoute("un"), ajoute("deux")]))
    assert await traces(un.db) == ["un", "deux"]


async def test_une_base_plus_recente_que_le_programme_l_arrete(processus: list[Processus]) -> None:
    un = processus[0]
    await un.demarrer(Schema((), [ajoute("un"), ajoute("deux")]))
    with pytest.raises(Stop, match="version 2"):
        await un.demarrer(Schema((), [ajoute("un")]))


async def test_une_migration_qui_echoue_est_reprise_par_le_suivant(processus: list[Processus]) -> None:
    premier, second, _ = processus

    async def casse(_: MigrationContext) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await premier.demarrer(Schema((), [ajoute("un"), casse]))
    assert await version(premier.db) == 1
    await second.demarrer(Schema((), [ajoute("un"), ajoute("deux")]))
    assert await traces(second.db) == ["un", "deux"]


async def test_qui_a_perdu_son_bail_n_ecrit_plus(processus: list[Processus], bientot: Bientot) -> None:
    lent, rapide, _ = processus
    entre, repris, refuse = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def work(tx: Tx) -> None:
        await tx.db.traces.insert_one({"nom": "lent"}, session=tx.session)

    async def s_attarde(base: MigrationContext) -> None:
        entre.set()
        await repris.wait()
        try:
            await base.run(work)
        except LeaseLost:
            refuse.set()
            raise

    attarde = asyncio.create_task(lent.demarrer(Schema((), [s_attarde])))
    await entre.wait()
    # As if it had stood still for longer than its lease.
    await lent.db.schema.update_one(
        {"_id": "schema"}, {"$set": {"lease_until": dt.datetime(2020, 1, 1, tzinfo=dt.UTC), "lease_token": "perdu"}}
    )
    await rapide.demarrer(Schema((), [ajoute("rapide")]))
    repris.set()
    # It finds the work done, and goes on.
    await attarde
    assert refuse.is_set()
    assert await traces(lent.db) == ["rapide"]


async def test_une_duree_de_conservation_change_sur_des_donnees_existantes(processus: list[Processus]) -> None:
    un = processus[0]
    await un.db.envois.insert_one({"cree_at": dt.datetime.now(dt.UTC)})
    for jours in (365, 180, 365, 1):
        await un.demarrer(Schema([Index("envois", [("cree_at", 1)], expires_s=jours * JOURS)]))
        found = await un.db.envois.index_information()
        assert found["cree_at_1"]["expireAfterSeconds"] == jours * JOURS
    assert await un.db.envois.count_documents({}) == 1


@pytest.mark.parametrize(
    ("ancien", "nouveau"),
    [
        (Index("c", [("a", 1)]), Index("c", [("a", 1)], expires_s=60)),
        (Index("c", [("a", 1)], expires_s=60), Index("c", [("a", 1)])),
        (Index("c", [("a", 1)], name="x"), Index("c", [("a", 1), ("b", 1)], name="x")),
        (Index("c", [("a", 1)], name="x"), Index("c", [("a", 1)], name="y")),
        (Index("c", [("a", 1)]), Index("c", [("a", 1)], options={"unique": True})),
        (
            Index("c", [("a", 1)], name="x", options={"partialFilterExpression": {"b": 1}}),
            Index("c", [("a", 1)], name="x", options={"partialFilterExpression": {"b": 2}}),
        ),
        (
            Index("c", [("a", "text")], name="t", options={"default_language": "english", "weights": {"a": 1}}),
            Index("c", [("a", "text")], name="t", options={"default_language": "french", "weights": {"a": 2}}),
        ),
        (Index("c", [("a", 1)]), Index("c", [("a", "2dsphere")])),
    ],
    ids=range(8),
)
async def test_un_index_prend_d_autres_options(processus: list[Processus], ancien: Index, nouveau: Index) -> None:
    un = processus[0]
    await un.demarrer(Schema([ancien]))
    await un.demarrer(Schema([nouveau]))
    # What the server lists is what was wanted: a third start changes nothing.
    await un.demarrer(Schema([nouveau]))
    assert nouveau.named in await un.db.c.index_information()
