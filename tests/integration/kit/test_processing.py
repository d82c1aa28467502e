"""The fate of each kind of error, on a real broker and a real database."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from typing import Any, ClassVar

import pytest
from aiokafka import AIOKafkaConsumer

from kit.errors import InvalidMessage, RetryLater, Stop
from kit.http.health import Health
from kit.ids import new_id
from kit.messaging import deadletters
from kit.messaging.breaker import LIMIT, MongoStates, Phase, State, closed_by_hand
from kit.messaging.consumer import to_record
from kit.messaging.deadletters import dead_letter_topic, held_topic, retry_topic
from kit.messaging.events import Message, Record, encode
from kit.messaging.outbox import Tx
from kit.resources import Runtime, open_runtime
from kit.settings import Settings
from tests import faits
from tests.attente import Bientot
from tests.faits import Spec
from tests.serveurs import Serveurs

TOPIC = f"kit.fait-{new_id()[:8]}.v1"


class Fait(faits.Fait):
    topic: ClassVar[str] = TOPIC
    humeur: str = "bonne"


async def on_fait(event: Fait, tx: Tx, _: Any) -> None:
    if event.humeur == "invalide":
        raise InvalidMessage("jamais")
    if event.humeur == "plus tard":
        raise RetryLater("pas encore")
    if event.humeur == "arret":
        raise Stop("danger")
    await tx.db.faits.update_one({"_id": event.id}, {"$inc": {"fois": 1}}, upsert=True, session=tx.session)


@pytest.fixture
async def runtime(serveurs: Serveurs) -> AsyncIterator[Runtime]:
    settings = Settings(mongo_url=serveurs.mongo_url, kafka_url=serveurs.kafka_url)
    async with open_runtime(f"kit-{new_id()[:8]}", settings, Health()) as opened:
        await opened.prepare([Spec(TOPIC)], [Spec(TOPIC)])
        await opened.mongo.db.create_collection("faits")
        yield opened
        await opened.mongo.client.drop_database(opened.service)


@pytest.fixture
async def running(runtime: Runtime) -> AsyncIterator[asyncio.Event]:
    processor = runtime.processor({Fait: on_fait}, None, {TOPIC: {"Fait": Fait}})
    stopping = asyncio.Event()
    loops = runtime.consumers([TOPIC], processor, Health())
    tasks = [asyncio.ensure_future(loop(stopping)) for loop in loops]
    yield stopping
    stopping.set()
    await asyncio.gather(*tasks, return_exceptions=True)


def message(runtime: Runtime, fait: Fait, event_id: str | None = None) -> Message:
    return encode(fait, event_id=event_id or new_id(), source="essai", at=runtime.clock.now())


async def first_of(bootstrap: str, topic: str, wanted: Callable[[Record], bool]) -> Record:
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        async for raw in consumer:
            if wanted(record := to_record(raw)):
                return record
    finally:
        await consumer.stop()
    raise AssertionError("unreachable")


async def done(runtime: Runtime, id_: str) -> dict[str, Any] | None:
    return await runtime.mongo.db.faits.find_one({"_id": id_})


async def test_un_evenement_recu_deux_fois_n_agit_qu_une_fois(
    runtime: Runtime, running: asyncio.Event, bientot: Bientot
) -> None:
    fait = Fait(id=new_id())
    sent = message(runtime, fait)
    await runtime.producer.publish([sent, sent])
    await runtime.producer.publish([sent])
    last = Fait(id=fait.id + "-suivant")
    await runtime.producer.publish([Message(TOPIC, fait.id.encode(), *_rest(message(runtime, last)))])
    await bientot(lambda: done(runtime, last.id))
    assert (await done(runtime, fait.id) or {})["fois"] == 1


def _rest(sent: Message) -> tuple[bytes | None, Any]:
    return sent.value, sent.headers


@pytest.mark.parametrize(
    ("value", "headers"),
    [
        (b"\xff\xfe pas du JSON", {"ce_id": "1", "ce_type": "Fait"}),
        (b'{"id": 3}', {"ce_id": "2", "ce_type": "Fait"}),
        (b"{}", {"ce_id": "3", "ce_type": "Inconnu"}),
        (b"{}", {}),
        (None, {"ce_id": "4", "ce_type": "Fait"}),
        # The largest that a broker takes: it must fit into the dead letters with what is said about it.
        (b"x" * 1_048_000, {"ce_id": "5", "ce_type": "Fait"}),
        (b"{}", {"ce_id": "6", "ce_type": "Fait", "x-origin-topic": "nulle.part"}),
    ],
)
async def test_un_message_empoisonne_va_aux_lettres_mortes_et_le_suivant_passe(
    runtime: Runtime, running: asyncio.Event, bientot: Bientot, value: bytes | None, headers: dict[str, str]
) -> None:
    key = new_id()
    after = Fait(id=new_id())
    good = message(runtime, after)
    await runtime.producer.publish(
        [Message(TOPIC, key.encode(), value, headers), Message(TOPIC, key.encode(), good.value, good.headers)]
    )
    await bientot(lambda: done(runtime, after.id))
    dead = await first_of(
        runtime.settings.kafka_url, dead_letter_topic(TOPIC, runtime.service), lambda r: r.key == key.encode()
    )
    assert dead.value == value
    assert dead.headers[deadletters.REASON]
    assert dead.headers[deadletters.ORIGIN_TOPIC] == TOPIC
    first = {name: text for name, text in headers.items() if name != deadletters.ORIGIN_TOPIC}
    assert deadletters.to_replay(dead) == Message(TOPIC, key.encode(), value, first)


async def test_ce_qui_manque_encore_est_retente_plus_tard(runtime: Runtime, running: asyncio.Event) -> None:
    fait = Fait(id=new_id(), humeur="plus tard")
    await runtime.producer.publish([message(runtime, fait)])
    later = await first_of(
        runtime.settings.kafka_url, retry_topic(TOPIC, runtime.service), lambda r: r.key == fait.id.encode()
    )
    assert later.headers[deadletters.ATTEMPT] == "1"
    assert later.headers[deadletters.DUE_MS].isdigit()
    assert "pas encore" in later.headers[deadletters.REASON]


async def test_un_danger_arrete_le_processus_avant_que_l_offset_ne_bouge(runtime: Runtime) -> None:
    processor = runtime.processor({Fait: on_fait}, None, {TOPIC: {"Fait": Fait}})
    sent = message(runtime, Fait(id=new_id(), humeur="arret"))
    record = Record(TOPIC, 0, 0, sent.key, sent.value, sent.headers, 0)
    with pytest.raises(Stop):
        await processor.process([record])


async def test_un_mauvais_evenement_ne_retient_pas_les_autres_du_lot(runtime: Runtime) -> None:
    processor = runtime.processor({Fait: on_fait}, None, {TOPIC: {"Fait": Fait}})
    humeurs = ["bonne", "invalide", "bonne"]
    ids = [new_id() for _ in humeurs]
    sent = [message(runtime, Fait(id=id_, humeur=humeur)) for id_, humeur in zip(ids, humeurs, strict=True)]
    await processor.process([Record(TOPIC, 0, n, m.key, m.value, m.headers, 0) for n, m in enumerate(sent)])
    assert [bool(await done(runtime, id_)) for id_ in ids] == [True, False, True]


async def test_trois_mille_messages_illisibles_ne_retiennent_ni_les_autres_ni_un_redemarrage(
    runtime: Runtime, running: asyncio.Event, bientot: Bientot
) -> None:
    poison = [Message(TOPIC, new_id().encode(), b"poison", {"ce_id": new_id(), "ce_type": "Fait"}) for _ in range(3000)]
    faits = [Fait(id=new_id()) for _ in range(30)]
    together = poison + [message(runtime, fait) for fait in faits]
    random.shuffle(together)
    await runtime.producer.publish(together)
    for fait in faits:
        await bientot(lambda fait=fait: done(runtime, fait.id))
    held = held_topic(TOPIC, runtime.service)
    kafka = runtime.settings.kafka_url

    async def aside() -> bool:
        return await size(kafka, held) + await size(kafka, dead_letter_topic(TOPIC, runtime.service)) >= 3000

    await bientot(aside)
    assert await size(kafka, dead_letter_topic(TOPIC, runtime.service)) <= LIMIT + len(faits)
    states = MongoStates(runtime.mongo.db)
    assert (await states.load())[TOPIC].phase(runtime.clock.now()) is Phase.OPEN


async def test_qui_a_regarde_ferme_le_disjoncteur_et_ce_qui_etait_retenu_est_enterre(
    runtime: Runtime, running: asyncio.Event, bientot: Bientot
) -> None:
    await runtime.producer.publish([Message(TOPIC, b"cle", b"poison", {}) for _ in range(LIMIT + 50)])
    kafka, dead = runtime.settings.kafka_url, dead_letter_topic(TOPIC, runtime.service)
    states = MongoStates(runtime.mongo.db)

    async def opened() -> State | None:
        state = (await states.load()).get(TOPIC)
        return state if state is not None and state.open_until is not None else None

    await bientot(opened)
    good = message(runtime, Fait(id=new_id()))
    await runtime.producer.publish([Message(held_topic(TOPIC, runtime.service), good.key, good.value, good.headers)])
    state = await opened()
    assert state is not None
    assert await states.replace(TOPIC, closed_by_hand(state, runtime.clock.now()))

    async def all_buried() -> bool:
        # The tests of this file share the topic: there may be more.
        return await size(kafka, dead) >= LIMIT + 50

    await bientot(all_buried)
    await bientot(lambda: done(runtime, (good.key or b"").decode()))


async def size(bootstrap: str, topic: str) -> int:
    """How many messages were ever written to a topic."""
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap)
    await consumer.start()
    try:
        return sum((await consumer.end_offsets(list(consumer.assignment()))).values())
    finally:
        await consumer.stop()
