"""Kafka loses its data while processes run: what was on its way arrives, and readers of states have them all again."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any, ClassVar

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient

from deploy.stack.servers.servers import Servers
from kit.database import mongo
from kit.http.health import Health
from kit.ids import new_id
from kit.messaging.events import headers_of
from kit.messaging.outbox import Tx
from kit.messaging.republication import DatabaseLost, Document, Republication, Source, ask, progress_of
from kit.resources import Runtime, open_runtime
from kit.settings import Settings
from tests import faits
from tests.attente import Bientot
from tests.faits import Spec

ETATS = f"essai.etat-{new_id()[:8]}.v1"
FAITS = f"essai.fait-{new_id()[:8]}.v1"


SPECS = [Spec(ETATS, 3, "compact"), Spec(FAITS, 3, "delete")]


class Etat(faits.Fait):
    """One key's state."""

    topic: ClassVar[str] = ETATS
    version: int

    @classmethod
    def type_name(cls) -> str:
        return "Etat"


class Fait(Etat):
    topic: ClassVar[str] = FAITS


def etat(document: Document) -> Etat:
    return Etat(id=document["_id"], version=document["version"])


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Of our own: they lose their data."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("KAFKA_URL", "MONGO_URL"):
            patch.delenv(name, raising=False)
        with Servers(tmp_path_factory.mktemp("perte"), only=("kafka", "mongo")) as found:
            yield found


@pytest.fixture(autouse=True)
def _empty(servers: Servers) -> None:
    """Each test has a database of its own, and topics with the same names: what others wrote is no record of its."""
    servers.lose("kafka")


@asynccontextmanager
async def owner(servers: Servers, service: str) -> AsyncIterator[Runtime]:
    """The service that owns both topics, at work until the end of the block."""
    settings = Settings(mongo_url=servers.urls["MONGO_URL"], kafka_url=servers.urls["KAFKA_URL"])
    stopping = asyncio.Event()
    async with open_runtime(service, settings, Health()) as runtime:
        await runtime.prepare(SPECS)
        republication = runtime.republication([Source(ETATS, runtime.mongo.db.etats, etat)])
        await republication.begin()
        loops = [asyncio.create_task(loop(stopping)) for loop in (runtime.outbox.run_sweeper, republication.run)]
        yield runtime
        stopping.set()
        await asyncio.gather(*loops)


async def write(runtime: Runtime, id_: str, version: int) -> None:
    """A change of state, and a fact about it, as a service commits them."""

    async def work(tx: Tx) -> None:
        await tx.db.etats.update_one({"_id": id_}, {"$set": {"version": version}}, upsert=True, session=tx.session)
        tx.emit(Etat(id=id_, version=version))
        tx.emit(Fait(id=id_, version=version), event_id=f"fait-{id_}-{version}")

    await runtime.outbox.run(work)


async def read(servers: Servers, topic: str) -> list[tuple[str, str]]:
    """(id of the event, body) of all that `topic` holds."""
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=servers.urls["KAFKA_URL"], auto_offset_reset="earliest")
    await consumer.start()
    try:
        ends = await consumer.end_offsets(sorted(consumer.assignment()))
        found: list[tuple[str, str]] = []
        while any([await consumer.position(tp) < end for tp, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                found += [(headers_of(record.headers)["ce_id"], record.value.decode()) for record in records]
        return found
    finally:
        await consumer.stop()


def states(records: list[tuple[str, str]]) -> dict[str, int]:
    """What a reader of the whole topic knows in the end: the last record of each key."""
    return {state.id: state.version for state in (Etat.model_validate_json(body) for _, body in records)}


async def settled(runtime: Runtime, bientot: Bientot, *, number: int) -> None:
    """Waits until both topics have been published again for the `number`th time."""

    async def done() -> bool:
        found = [await progress_of(runtime.mongo.db, topic) for topic in (ETATS, FAITS)]
        return all(progress and progress.done and progress.number >= number for progress in found)

    await bientot(done)


async def test_ce_que_kafka_a_perdu_pendant_que_tout_tourne_est_publie_de_nouveau(
    servers: Servers, bientot: Any
) -> None:
    async with owner(servers, f"kit-{new_id()[:8]}") as runtime:
        await settled(runtime, bientot, number=1)
        for number in range(40):
            await write(runtime, f"c{number}", 1)
        for number in range(10):
            await write(runtime, f"c{number}", 2)
        await runtime.outbox.settle()
        # Ends are looked at every few seconds: what nobody has seen yet cannot be missed.
        await bientot(lambda: _noted(runtime, 50))
        facts = {id_ for id_, _ in await read(servers, FAITS)}
        assert len(facts) == 50

        servers.lose("kafka")

        # A change while nothing is known of the loss: it is the first record of the new topic.
        await write(runtime, "c3", 3)
        await settled(runtime, bientot, number=2)
        assert {id_ for id_, _ in await read(servers, FAITS)} == facts | {"fait-c3-3"}
        expected = {f"c{number}": 2 if number < 10 else 1 for number in range(40)} | {"c3": 3}
        assert states(await read(servers, ETATS)) == expected


async def test_un_topic_supprime_est_refait_et_rempli(servers: Servers, bientot: Any) -> None:
    async with owner(servers, f"kit-{new_id()[:8]}") as runtime:
        await settled(runtime, bientot, number=1)
        for number in range(5):
            await write(runtime, f"s{number}", 1)
        await runtime.outbox.settle()
        await bientot(lambda: _noted(runtime, 5))
        admin = AIOKafkaAdminClient(bootstrap_servers=servers.urls["KAFKA_URL"])
        await admin.start()
        await admin.delete_topics([ETATS])
        await admin.close()
        await settled(runtime, bientot, number=2)
        assert states(await read(servers, ETATS)) == {f"s{number}": 1 for number in range(5)}


async def test_ce_qui_est_publie_et_perdu_entre_deux_regards_est_publie_de_nouveau(servers: Servers) -> None:
    """The ends that were noted are those of empty topics, and so are the ends after the loss."""
    settings = Settings(mongo_url=servers.urls["MONGO_URL"], kafka_url=servers.urls["KAFKA_URL"])
    async with open_runtime(f"kit-{new_id()[:8]}", settings, Health()) as runtime:
        await runtime.prepare(SPECS)
        republication = runtime.republication([Source(ETATS, runtime.mongo.db.etats, etat)])
        await republication.begin()
        await repaired(runtime, republication)
        await republication.look()
        for number in range(5):
            await write(runtime, f"r{number}", 1)
        await runtime.outbox.settle()
        facts = {id_ for id_, _ in await read(servers, FAITS)}

        servers.lose("kafka")

        await republication.begin()
        await repaired(runtime, republication)
        assert states(await read(servers, ETATS)) == {f"r{number}": 1 for number in range(5)}
        assert facts == {f"fait-r{number}-1" for number in range(5)}
        # What is repaired is not repaired for ever.
        await republication.look()
        assert not await republication.repair()


async def repaired(runtime: Runtime, republication: Republication) -> None:
    """Does what the loops of a worker do, until nothing is left to do."""
    while await republication.repair() or await runtime.outbox.sweep():
        continue


async def _noted(runtime: Runtime, events: int) -> bool:
    rows = [row async for row in runtime.mongo.db.republications.find()]
    return len(rows) == 2 and all(sum(row["fins"].values()) >= events for row in rows)


async def test_un_topic_vide_devant_une_base_pleine_se_remplit_au_demarrage(servers: Servers, bientot: Any) -> None:
    """As after an update: nothing was ever noted of the topic, and the outbox is empty."""
    service = f"kit-{new_id()[:8]}"
    settings = Settings(mongo_url=servers.urls["MONGO_URL"], kafka_url=servers.urls["KAFKA_URL"])
    async with open_runtime(service, settings, Health()) as before:
        await before.mongo.db.etats.insert_many([{"_id": f"e{n:05d}", "version": n + 1} for n in range(1201)])
    async with owner(servers, service) as runtime:
        await settled(runtime, bientot, number=1)
        assert states(await read(servers, ETATS)) == {f"e{n:05d}": n + 1 for n in range(1201)}


async def test_une_base_videe_se_dit_jusqu_a_ce_que_quelqu_un_reponde(servers: Servers, bientot: Any) -> None:
    service = f"kit-{new_id()[:8]}"

    async def live_until_it_is_gone() -> None:
        async with owner(servers, service) as runtime:
            await settled(runtime, bientot, number=1)
            await write(runtime, "v1", 1)
            await runtime.outbox.settle()
            await bientot(lambda: _noted(runtime, 1))
            await runtime.mongo.client.drop_database(service)
            await bientot(lambda: _told(runtime))

    with pytest.raises(DatabaseLost):
        await live_until_it_is_gone()
    for _ in range(2):
        # The process that starts again, and the next one.
        async with owner(servers, service) as runtime:
            assert "base" in await runtime.health.away()
    async with owner(servers, service) as runtime:
        await ask(runtime.mongo.db, runtime.clock.now())
        assert await runtime.health.away() == {}


async def _told(runtime: Runtime) -> bool:
    return await runtime.mongo.db.republications.find_one({"base_perdue_at": {"$ne": None}}) is not None


async def test_une_base_videe_pendant_l_arret_se_dit_au_demarrage(servers: Servers, bientot: Any) -> None:
    service = f"kit-{new_id()[:8]}"
    async with owner(servers, service) as runtime:
        await settled(runtime, bientot, number=1)
        assert await runtime.health.away() == {}
        await write(runtime, "v1", 1)
    async with owner(servers, service) as runtime:
        assert await runtime.health.away() == {}
        await bientot(lambda: _noted(runtime, 1))
    client = mongo.connect(servers.urls["MONGO_URL"], service)
    await client.client.drop_database(service)
    client.close()
    async with owner(servers, service) as runtime:
        assert "base" in await runtime.health.away()


async def test_sur_demande_tout_est_publie_une_fois_de_plus_sous_les_memes_identifiants(
    servers: Servers, bientot: Any
) -> None:
    async with owner(servers, f"kit-{new_id()[:8]}") as runtime:
        await settled(runtime, bientot, number=1)
        await write(runtime, "s1", 4)
        await runtime.outbox.settle()
        for number in (2, 3):
            await ask(runtime.mongo.db, runtime.clock.now())
            await settled(runtime, bientot, number=number)
        ids = [id_ for id_, body in await read(servers, ETATS) if '"s1"' in body]
        # The event itself and its copies from the outbox; twice the state, under an id of its own.
        assert len(set(ids)) == 2


async def test_un_changement_pendant_la_republication_est_ce_qui_reste(servers: Servers, bientot: Any) -> None:
    """A record of an older version after the newer one would be the one that a compacted topic keeps."""
    service = f"kit-{new_id()[:8]}"
    async with owner(servers, service) as runtime:
        await settled(runtime, bientot, number=1)
        for number in range(30):
            await write(runtime, f"z{number}", 1)
        await ask(runtime.mongo.db, runtime.clock.now())
        version = 1
        while not (progress := await progress_of(runtime.mongo.db, ETATS)) or not progress.done:
            version += 1
            for number in range(30):
                await write(runtime, f"z{number}", version)
        await runtime.outbox.settle()
        found = states(await read(servers, ETATS))
        assert {key: found[key] for key in found if key.startswith("z")} == {f"z{n}": version for n in range(30)}
