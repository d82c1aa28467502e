"""Topics that an older version made with fewer partitions."""

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from kit.ids import new_id
from kit.messaging import topics
from tests.faits import Spec
from tests.serveurs import Serveurs


async def configuration(serveurs: Serveurs, name: str, values: dict[str, str] | None = None) -> dict[str, str]:
    """What holds for the topic, after `values` alone were set for it."""
    admin = AIOKafkaAdminClient(bootstrap_servers=serveurs.kafka_url)
    await admin.start()
    try:
        if values is not None:
            await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, values)])
        (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name)])
        return {entry[0]: entry[1] for entry in answer.resources[0][4]}
    finally:
        await admin.close()


async def test_ce_qui_est_efface_ne_reste_pas_dans_un_topic_d_avant(serveurs: Serveurs) -> None:
    """An older state of a key is compacted away after a day, and a record outlives its retention by a day at most."""
    name = f"kit.avant-{new_id()[:8]}.v1"
    spec = Spec(name, 1, "compact,delete", 3_600_000)
    await topics.ensure(serveurs.kafka_url, [spec])
    neuf = await configuration(serveurs, name)
    regle = {nom: neuf[nom] for nom in ("cleanup.policy", "retention.ms", "segment.ms", "max.compaction.lag.ms")}
    assert regle == {
        "cleanup.policy": "compact,delete",
        "retention.ms": "3600000",
        "segment.ms": "86400000",
        "max.compaction.lag.ms": "86400000",
    }
    avant = {"cleanup.policy": "compact,delete", "retention.ms": "7200000", "min.insync.replicas": "1"}
    await configuration(serveurs, name, avant)
    await topics.ensure(serveurs.kafka_url, [spec])
    apres = await configuration(serveurs, name)
    assert {nom: apres[nom] for nom in (*regle, "min.insync.replicas")} == {**regle, "min.insync.replicas": "1"}


async def partitions(serveurs: Serveurs, name: str) -> int:
    admin = AIOKafkaAdminClient(bootstrap_servers=serveurs.kafka_url)
    await admin.start()
    try:
        (found,) = await admin.describe_topics([name])
        return len(found["partitions"])
    finally:
        await admin.close()


@pytest.mark.parametrize(
    ("policy", "before", "wanted", "after"),
    [
        ("delete", 2, 5, 5),
        ("compact,delete", 2, 5, 5),
        # An erasure in a new partition would not remove what the old one keeps for ever.
        ("compact", 2, 5, 2),
        # Kafka removes none.
        ("delete", 5, 2, 5),
    ],
)
async def test_un_topic_d_avant_prend_les_partitions_qui_lui_manquent_la_ou_c_est_sur(
    serveurs: Serveurs, policy: str, before: int, wanted: int, after: int
) -> None:
    name = f"kit.avant-{new_id()[:8]}.v1"
    await topics.ensure(serveurs.kafka_url, [Spec(name, before, policy)])
    for _ in range(2):
        await topics.ensure(serveurs.kafka_url, [Spec(name, wanted, policy)])
    assert await partitions(serveurs, name) == after
