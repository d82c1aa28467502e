"""Whether Kafka answers is seen without any traffic: nobody publishes, nobody reads."""

from pathlib import Path
from typing import Any

import pytest
from aiokafka.errors import KafkaError

from deploy.stack.servers.servers import Servers
from kit.messaging.producer import Producer


async def test_un_kafka_arrete_sans_trafic_se_voit_puis_son_retour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bientot: Any
) -> None:
    # This broker is stopped: it must be ours.
    monkeypatch.delenv("KAFKA_URL", raising=False)
    with Servers(tmp_path, only=("kafka",)) as servers:
        producer = Producer(servers.urls["KAFKA_URL"])
        try:
            await producer.ping()
            servers.stop("kafka")
            with pytest.raises((ConnectionError, KafkaError)):
                await producer.ping()
            servers.start("kafka")

            async def answers() -> bool:
                try:
                    await producer.ping()
                except (ConnectionError, KafkaError):
                    return False
                return True

            await bientot(answers)
        finally:
            await producer.stop()
