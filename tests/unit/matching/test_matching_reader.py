"""What a worker says of its index before it may be asked."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.structs import ConsumerRecord

from contracts.commun import Lieu, Sens
from contracts.matching import ProfilEnregistre
from kit.clock import SystemClock
from kit.http.health import NotReady
from kit.messaging.events import encode
from kit.messaging.republication import Progress
from services.matching import domain, store
from services.matching import reader as module
from services.matching.index import Index
from services.matching.reader import TOPIC, Reader

NOW = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
PARTITION = TopicPartition(TOPIC, 0)
SOUHAITS = {"sens": Sens.BESOIN, "lieu": Lieu(lat=50.6, lon=3.0), "rayon_km": 5, "categories": ["livres"]}


def reader(lus: int) -> Reader:
    unused: Any = None
    index: Any = range(lus)
    return Reader("127.0.0.1:1", index, unused, unused, SystemClock())


@pytest.mark.parametrize(
    ("lus", "tous", "dit"),
    [
        (0, 10_064, "0 % de 10 064 profils"),
        (1208, 10_064, "12 % de 10 064 profils"),
        (10_063, 10_064, "99 % de 10 064 profils"),
        (3, 2, "100 % de 2 profils"),
        (0, 0, "100 % de 0 profils"),
    ],
)
async def test_un_index_incomplet_dit_quelle_part_est_lue(
    monkeypatch: pytest.MonkeyPatch, lus: int, tous: int, dit: str
) -> None:
    async def compter(_: object) -> int:
        return tous

    monkeypatch.setattr(store, "compter_actifs", compter)
    waiting = reader(lus)
    with pytest.raises(NotReady) as said:
        await waiting.check()
    assert str(said.value).replace("\u202f", " ").replace("\xa0", " ") == dit
    waiting.caught_up.set()
    await waiting.check()


class Topic:
    """A topic of one partition, as the client shows it."""

    def __init__(self) -> None:
        self.records: list[ConsumerRecord[bytes, bytes]] = []
        self.reads_from: list[int] = []

    def add(self, profil_id: str, version: int = 1) -> None:
        profil = domain.nouveau(profil_id, "c1", SOUHAITS, NOW).model_copy(update={"version": version})
        message = encode(ProfilEnregistre(profil=profil), event_id=f"{profil_id}-{version}", source="essai", at=NOW)
        headers = [(name, value.encode()) for name, value in message.headers.items()]
        record: ConsumerRecord[bytes, bytes] = ConsumerRecord(
            TOPIC, 0, len(self.records), 0, 0, message.key, message.value, None, 0, 0, headers
        )
        self.records.append(record)

    def lose(self) -> None:
        self.records.clear()


class Consumer:
    """What Reader uses of AIOKafkaConsumer."""

    def __init__(self, topic: Topic) -> None:
        self._topic = topic
        self._position = 0

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    def assignment(self) -> set[TopicPartition]:
        return {PARTITION}

    async def beginning_offsets(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, 0)

    async def end_offsets(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, len(self._topic.records))

    def seek(self, _: TopicPartition, offset: int) -> None:
        self._topic.reads_from.append(offset)
        self._position = offset

    async def getmany(self, **_: int) -> dict[TopicPartition, list["ConsumerRecord[bytes, bytes]"]]:
        await asyncio.sleep(0)
        found = self._topic.records[self._position :]
        self._position += len(found)
        return {PARTITION: found} if found else {}


@dataclass
class Depot:
    """What the database says of the republication of the topic."""

    progress: Progress | None = None

    async def of(self, _: object, __: str) -> Progress | None:
        return self.progress


@pytest.fixture
def topic(monkeypatch: pytest.MonkeyPatch) -> Topic:
    made = Topic()
    monkeypatch.setattr(module, "AIOKafkaConsumer", lambda *_, **__: Consumer(made))
    monkeypatch.setattr(module, "_LOOK_EVERY_S", 0.0)
    return made


@pytest.fixture
def depot(monkeypatch: pytest.MonkeyPatch) -> Depot:
    made = Depot()
    monkeypatch.setattr(module, "progress_of", made.of)
    return made


def said(number: int, *, done: bool) -> Progress:
    return Progress(TOPIC, done, 0, 0, number)


@asynccontextmanager
async def at_work(index: Index) -> AsyncIterator[Reader]:
    letters: Any = SimpleNamespace(succeeded=lambda _: None)
    unused: Any = None
    working = Reader("127.0.0.1:1", index, letters, unused, SystemClock())
    stopping = asyncio.Event()
    loop = asyncio.create_task(working.run(stopping))
    try:
        yield working
    finally:
        stopping.set()
        await loop


async def test_un_index_n_est_complet_qu_une_fois_le_topic_republie(topic: Topic, depot: Depot, bientot: Any) -> None:
    index = Index()
    depot.progress = said(1, done=False)
    async with at_work(index) as working:
        topic.add("p1")
        await bientot(lambda: len(index) == 1)
        assert not working.caught_up.is_set()
        topic.add("p2")
        topic.add("p3")
        depot.progress = said(1, done=True)
        await bientot(working.caught_up.is_set)
        assert len(index) == 3


async def test_une_republication_est_relue_depuis_le_debut(topic: Topic, depot: Depot, bientot: Any) -> None:
    """The positions of before the loss lie behind records that were never read."""
    index = Index()
    depot.progress = said(1, done=True)
    for number in range(3):
        topic.add(f"p{number}")
    async with at_work(index) as working:
        await bientot(working.caught_up.is_set)
        assert topic.reads_from == [0]
        topic.lose()
        for number in range(10):
            topic.add(f"q{number}")
        depot.progress = said(2, done=True)
        await bientot(lambda: len(index) == 13)
        assert topic.reads_from == [0, 0]
        assert working.caught_up.is_set()
