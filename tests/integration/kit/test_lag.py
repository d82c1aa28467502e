"""How far a group is behind, seen from outside of it: also when it has no member, and never had one."""

import asyncio
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from prometheus_client import REGISTRY

from kit.ids import new_id
from kit.messaging.events import Message
from kit.messaging.lag import Lags
from kit.messaging.producer import Producer
from kit.messaging.topics import ensure
from tests.attente import Bientot
from tests.faits import Spec
from tests.serveurs import Serveurs


def _mesure(name: str, topic: str, group: str) -> float | None:
    return REGISTRY.get_sample_value(name, {"topic": topic, "group": group})


async def _valider(kafka: str, group: str, tp: TopicPartition, offset: int) -> None:
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, group_id=group, enable_auto_commit=False)
    consumer.assign([tp])
    await consumer.start()
    try:
        await consumer.commit({tp: offset})
    finally:
        await consumer.stop()


async def test_le_retard_d_un_groupe_sans_personne_est_connu(
    serveurs: Serveurs, bientot: Bientot, monkeypatch: Any
) -> None:
    monkeypatch.setattr("kit.messaging.lag._EVERY_S", 0.05)
    topic, absent = f"kit.messaging.lag-{new_id()[:8]}.v1", f"kit.messaging.lag-{new_id()[:8]}.v1"
    jamais, parti = f"jamais-{new_id()[:8]}", f"parti-{new_id()[:8]}"
    await ensure(serveurs.kafka_url, [Spec(topic, partitions=1)])
    producer = Producer(serveurs.kafka_url)
    await producer.publish([Message(topic, b"k", b"{}") for _ in range(3)])
    await producer.stop()
    stopping = asyncio.Event()
    running = asyncio.create_task(Lags(serveurs.kafka_url, {jamais: [topic, absent], parti: [topic]}).run(stopping))
    try:
        await bientot(lambda: _mesure("group_lag_events", topic, jamais) == 3)
        assert _mesure("group_lag_events", topic, parti) == 3
        # A topic that is not there yet holds nothing.
        assert _mesure("group_lag_events", absent, jamais) == 0
        age = _mesure("group_oldest_age_seconds", topic, jamais) or 0
        assert age > 0
        # It grows though nobody consumes and nothing arrives.
        await bientot(lambda: (_mesure("group_oldest_age_seconds", topic, jamais) or 0) > age)
        for done, left in ((2, 1), (3, 0)):
            await _valider(serveurs.kafka_url, parti, TopicPartition(topic, 0), done)
            await bientot(lambda left=left: _mesure("group_lag_events", topic, parti) == left)
        assert _mesure("group_oldest_age_seconds", topic, parti) == 0
        assert _mesure("group_lag_events", topic, jamais) == 3
    finally:
        stopping.set()
        await running
    # Nobody measures any more: no value says that all is well.
    assert _mesure("group_oldest_age_seconds", topic, parti) is None


async def test_sans_kafka_aucune_mesure_ne_dit_que_tout_va_bien(monkeypatch: pytest.MonkeyPatch) -> None:
    failed = asyncio.Event()

    async def wait(stopping: asyncio.Event, seconds: float) -> None:
        failed.set()
        await stopping.wait()

    # It waits after each failure.
    monkeypatch.setattr("kit.messaging.lag.wait", wait)
    stopping = asyncio.Event()
    running = asyncio.create_task(Lags("127.0.0.1:1", {"essai": ["essai.rien.v1"]}).run(stopping))
    try:
        await failed.wait()
        assert not running.done()
        assert _mesure("group_lag_events", "essai.rien.v1", "essai") is None
    finally:
        stopping.set()
        await running
