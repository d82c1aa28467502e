"""Reads topics from outside any group: what a tool needs that must not move a consumer's offsets."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition

from contracts.registre import CATALOGUE
from kit.consumer import to_record
from kit.events import Received, Record, decode


@asynccontextmanager
async def _reader(bootstrap: str) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest")
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


async def records(bootstrap: str, topics: Sequence[str]) -> AsyncIterator[Record]:
    """Every record of `topics` that is there when the reading starts, partition by partition in order."""
    async with _reader(bootstrap) as consumer:
        known = await consumer.topics()
        partitions = [
            TopicPartition(topic, number)
            for topic in topics
            if topic in known
            for number in (consumer.partitions_for_topic(topic) or ())
        ]
        if not partitions:
            return
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        await consumer.seek_to_beginning(*partitions)
        left = {tp for tp in partitions if ends[tp] > await consumer.position(tp)}
        while left:
            fetched = await asyncio.wait_for(consumer.getmany(*left, timeout_ms=1000), 30)
            for tp, raws in fetched.items():
                for raw in raws:
                    if raw.offset < ends[tp]:
                        yield to_record(raw)
            # The position, not the last record: compaction may have removed what stood at the end.
            left = {tp for tp in left if await consumer.position(tp) < ends[tp]}


async def events(bootstrap: str, topic: str) -> list[Received]:
    """Every event of `topic`, decoded. Raises pydantic.ValidationError or InvalidMessage for one that is not valid."""
    return [decode(record, topic, CATALOGUE) async for record in records(bootstrap, [topic])]
