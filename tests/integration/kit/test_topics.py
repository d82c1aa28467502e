"""Topics that an older version made with fewer partitions."""

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from kit import topics
from kit.ids import new_id
from tests.faits import Spec
from tests.serveurs import Serveurs


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
