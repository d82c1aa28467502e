"""Sends messages to Kafka in batches, and reconnects after a broker failure."""

import asyncio
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.partitioner import DefaultPartitioner

from kit.logging import get_logger
from kit.messaging.events import Message

log = get_logger(__name__)

_by_hash = DefaultPartitioner()


def partition(key: bytes | None, partitions: Sequence[int], available: Sequence[int]) -> int:
    """Partitions by the hash of the key, like every Kafka client. Chunks of one thing (keys `id:0`, `id:1`, …) go to
    consecutive partitions, so that they are spread evenly over the workers."""
    whole, _, part = (key or b"").rpartition(b":")
    if not whole or not part.isdigit():
        return int(_by_hash(key, partitions, available))
    first = partitions.index(_by_hash(whole, partitions, available))
    return partitions[(first + int(part)) % len(partitions)]


class Producer:
    """The Kafka connection of a process. Duplicates are possible after an outage; receivers drop them by ce_id."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()

    async def _started(self) -> AIOKafkaProducer:
        # Connects on first use, so that a process starts and accepts what it can store while Kafka is away.
        async with self._starting:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    bootstrap_servers=self._bootstrap,
                    acks="all",
                    request_timeout_ms=10000,
                    retry_backoff_ms=100,
                    max_request_size=4 * 1024 * 1024,
                    partitioner=partition,
                )
                try:
                    await producer.start()
                except BaseException:
                    await producer.stop()
                    raise
                self._producer = producer
            return self._producer

    async def publish(self, messages: Sequence[Message]) -> None:
        """Returns when the broker has stored all of `messages`. Raises KafkaError when at least one was not stored."""
        producer = await self._started()
        try:
            futures = [
                await producer.send(
                    message.topic,
                    value=message.value,
                    key=message.key,
                    headers=[(name, value.encode()) for name, value in message.headers.items()],
                )
                for message in messages
            ]
            await asyncio.gather(*futures)
        except KafkaError:
            await self._forget(producer)
            raise

    async def _forget(self, producer: AIOKafkaProducer) -> None:
        """Drops the connection after a failure, because the state of the aiokafka producer is unknown then."""
        if self._producer is producer:
            self._producer = None
            await _stop(producer)

    async def ping(self) -> None:
        """Raises ConnectionError or KafkaError when no broker answers."""
        # aiokafka returns False, without raising, when no broker answered.
        if not await (await self._started()).client.force_metadata_update():
            raise ConnectionError("no broker answers")

    async def stop(self) -> None:
        if self._producer is not None:
            await _stop(self._producer)
            self._producer = None


async def _stop(producer: AIOKafkaProducer) -> None:
    try:
        await asyncio.wait_for(producer.stop(), 5)
    except (TimeoutError, KafkaError) as error:
        log.warning("producer_did_not_stop", error=type(error).__name__)
