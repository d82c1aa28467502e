"""Reads topics without a consumer group, so that no offset of a service moves."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from pydantic import ValidationError

from contracts.evenements import CATALOGUE
from kit.errors import InvalidMessage
from kit.messaging.consumer import to_record
from kit.messaging.events import Received, Record, decode


async def records(bootstrap: str, topics: Sequence[str]) -> AsyncIterator[Record]:
    """Yields every record that `topics` contain when the reading starts, in order within a partition."""
    # A consumer without a group gets all partitions of its topics.
    consumer = AIOKafkaConsumer(
        *topics, bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        partitions = list(consumer.assignment())
        ends = await consumer.end_offsets(partitions)
        beginnings = await consumer.beginning_offsets(partitions)
        for tp in partitions:
            consumer.seek(tp, beginnings[tp])
        left = {tp for tp in partitions if beginnings[tp] < ends[tp]}
        while left:
            fetched = await asyncio.wait_for(consumer.getmany(*left, timeout_ms=1000), 30)
            for tp, raws in fetched.items():
                for raw in raws:
                    if raw.offset < ends[tp]:
                        yield to_record(raw)
            # Compare the position, not the last record: compaction may have removed the records at the end.
            left = {tp for tp in left if await consumer.position(tp) < ends[tp]}
    finally:
        await consumer.stop()


async def events(bootstrap: str, topic: str) -> list[Received]:
    """All decodable events of `topic`. Undecodable records are ignored: consumers put them in the dead letters."""
    found = []
    async for record in records(bootstrap, [topic]):
        try:
            found.append(decode(record, topic, CATALOGUE))
        except (InvalidMessage, ValidationError):
            continue
    return found


async def committed(bootstrap: str, group: str) -> dict[tuple[str, int], int]:
    """(topic, partition) → committed offset of `group`; partitions without one are missing."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        offsets = await admin.list_consumer_group_offsets(group)
        return {(tp.topic, tp.partition): found.offset for tp, found in offsets.items() if found.offset >= 0}
    finally:
        await admin.close()
