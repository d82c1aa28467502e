"""State and events commit together; an event acts once; what a crash left is swept."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from typing import Any

import pytest

from kit.http.health import Health
from kit.ids import new_id
from kit.messaging.events import Message
from kit.messaging.outbox import WAITING, Outbox, Tx
from kit.resources import Runtime, open_runtime
from kit.settings import Settings
from tests.faits import Fait
from tests.serveurs import Serveurs


class Cite(Fait):
    cite: list[str]


class Recording:
    """Stands where the producer stands, and can refuse."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.away = False
        self.told = asyncio.Event()

    async def publish(self, messages: Any) -> None:
        if self.away:
            raise ConnectionError("away")
        self.sent += messages
        self.told.set()

    async def ping(self) -> None: ...

    async def stop(self) -> None: ...


@pytest.fixture
async def runtime(serveurs: Serveurs) -> AsyncIterator[Runtime]:
    settings = Settings(mongo_url=serveurs.mongo_url, kafka_url=serveurs.kafka_url)
    async with open_runtime(f"kit-{new_id()[:8]}", settings, Health()) as opened:
        await opened.mongo.db.create_collection("choses")
        yield opened
        await opened.mongo.client.drop_database(opened.service)


def outbox(runtime: Runtime, producer: Any) -> Outbox:
    return Outbox(runtime.mongo, producer, runtime.clock, runtime.service)


async def test_ce_qui_est_valide_est_publie(runtime: Runtime) -> None:
    producer = Recording()
    box = outbox(runtime, producer)

    async def work(tx: Tx) -> str:
        await tx.db.choses.insert_one({"_id": "a"}, session=tx.session)
        tx.emit(Fait(id="a"))
        return "fait"

    assert await box.run(work) == "fait"
    await box.settle()
    assert [m.headers["ce_type"] for m in producer.sent] == ["Fait"]
    assert await runtime.mongo.db.outbox.count_documents(WAITING) == 0


async def test_ce_qui_peut_attendre_part_avec_ce_qui_suit_ou_a_l_arret(runtime: Runtime) -> None:
    producer = Recording()
    box = outbox(runtime, producer)

    async def dire(id_: str, within_s: float = 0.0) -> None:
        async def work(tx: Tx) -> None:
            tx.emit(Fait(id=id_))

        await box.run(work, within_s=within_s)

    await dire("a", 3600)
    await dire("b", 3600)
    assert producer.sent == []
    await dire("c")
    await box.settle()
    assert [m.key for m in producer.sent] == [b"a", b"b", b"c"]
    await dire("d", 3600)
    await box.settle()
    assert [m.key for m in producer.sent[3:]] == [b"d"]
    assert await runtime.mongo.db.outbox.count_documents(WAITING) == 0


def sans_secret(corps: dict[str, Any], id_: str) -> dict[str, Any] | None:
    """Of what is about `id_` nothing may be said; elsewhere it is named no more."""
    return None if corps["id"] == id_ else {**corps, "cite": [un for un in corps["cite"] if un != id_]}


async def test_ce_qui_est_oublie_n_est_plus_publie_ni_garde(runtime: Runtime) -> None:
    """Whether it was published, waits for the broker, or is about to be emitted; rows of an earlier release too."""
    producer = Recording()
    box = outbox(runtime, producer)

    async def dire(tx: Tx) -> None:
        for id_, cite in (("moi", []), ("un", ["moi", "é"]), ("moi-aussi", ["lui"])):
            tx.emit(Cite(id=id_, cite=cite))

    async def oublier(tx: Tx) -> None:
        await dire(tx)
        await tx.forget("moi", sans_secret)
        tx.emit(Cite(id="moi", cite=["parti"]))

    await box.run(dire)
    await box.settle()
    producer.away = True
    await box.run(dire)
    rows = runtime.mongo.db.outbox
    async for row in rows.find({"publie_at": {"$ne": None}}):
        await rows.update_one({"_id": row["_id"]}, {"$set": {"value": row["value"].encode()}})
    await box.run(oublier)
    await box.settle()

    async def gardes() -> list[Cite]:
        return [Cite.model_validate_json(row["value"]) async for row in rows.find()]

    un, aussi = Cite(id="un", cite=["é"]), Cite(id="moi-aussi", cite=["lui"])
    attendus = [un, un, un, aussi, aussi, aussi, Cite(id="moi", cite=["parti"])]
    assert sorted(map(str, await gardes())) == sorted(map(str, attendus))
    # What waits, and what is replayed, is published as it is now.
    producer.away, producer.sent = False, []
    await box.replay(Cite.topic)
    await rows.update_many({}, {"$set": {"created_at": dt.datetime(2020, 1, 1, tzinfo=dt.UTC)}})
    assert await box.sweep() == len(attendus)
    publies = [Cite.model_validate_json(message.value or b"") for message in producer.sent]
    assert sorted(map(str, publies)) == sorted(map(str, attendus))


async def test_ce_qui_peut_attendre_n_attend_pas_plus_que_dit(runtime: Runtime) -> None:
    producer = Recording()
    box = outbox(runtime, producer)

    async def work(tx: Tx) -> None:
        tx.emit(Fait(id="a"))

    await box.run(work, within_s=0.01)
    await producer.told.wait()
    await box.settle()
    assert len(producer.sent) == 1


async def test_une_erreur_ne_laisse_ni_etat_ni_evenement(runtime: Runtime) -> None:
    producer = Recording()
    box = outbox(runtime, producer)

    async def work(tx: Tx) -> None:
        await tx.db.choses.insert_one({"_id": "b"}, session=tx.session)
        tx.emit(Fait(id="b"))
        raise ValueError("non")

    with pytest.raises(ValueError, match="non"):
        await box.run(work)
    await box.settle()
    assert producer.sent == []
    assert await runtime.mongo.db.choses.find_one({"_id": "b"}) is None
    assert await runtime.mongo.db.outbox.count_documents(WAITING) == 0


async def test_ce_qu_une_panne_a_laisse_est_balaye_une_fois(runtime: Runtime) -> None:
    producer = Recording()
    producer.away = True
    box = outbox(runtime, producer)

    async def work(tx: Tx) -> None:
        tx.emit(Fait(id="c"))

    await box.run(work)
    await box.settle()
    assert await runtime.mongo.db.outbox.count_documents(WAITING) == 1
    await runtime.mongo.db.outbox.update_many({}, {"$set": {"created_at": dt.datetime(2020, 1, 1, tzinfo=dt.UTC)}})
    producer.away = False
    assert await box.sweep() == 1
    assert await box.sweep() == 0
    assert len(producer.sent) == 1


async def test_deux_balayeurs_ne_publient_pas_la_meme_ligne(runtime: Runtime) -> None:
    producer = Recording()
    row: dict[str, Any] = {
        "topic": "t",
        "key": b"k",
        "value": b"v",
        "headers": {},
        "lease_until": None,
        "lease_token": None,
    }
    old = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    await runtime.mongo.db.outbox.insert_many([{"_id": str(n), "created_at": old, **row} for n in range(50)])
    swept = await asyncio.gather(*(outbox(runtime, producer).sweep() for _ in range(4)))
    assert sum(swept) == 50
    assert len(producer.sent) == 50
