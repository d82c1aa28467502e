"""Makes sure that topics exist as their table says: idempotent, safe when several processes start at once."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Protocol

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.errors import InvalidPartitionsError, TopicAlreadyExistsError, for_code

from kit.deadletters import dead_letter_topic, retry_topic
from kit.logging import get_logger

log = get_logger(__name__)

_DEAD_LETTER_RETENTION_MS = 14 * 24 * 3600 * 1000
# Twice what a broker takes by default: the largest message must still fit together with the headers that say why.
_DEAD_LETTER_MAX_BYTES = 2 * 1024 * 1024


class TopicSpec(Protocol):
    """`retention_ms` None: kept for ever."""

    @property
    def name(self) -> str: ...
    @property
    def partitions(self) -> int: ...
    @property
    def cleanup_policy(self) -> str: ...
    @property
    def retention_ms(self) -> int | None: ...


def _new(spec: TopicSpec, replication: int) -> NewTopic:
    configs = {"cleanup.policy": spec.cleanup_policy}
    if spec.retention_ms is not None:
        configs["retention.ms"] = str(spec.retention_ms)
    return NewTopic(spec.name, spec.partitions, replication, topic_configs=configs)


def _side_topics(spec: TopicSpec, consumer: str, replication: int) -> list[NewTopic]:
    configs = {"retention.ms": str(_DEAD_LETTER_RETENTION_MS), "max.message.bytes": str(_DEAD_LETTER_MAX_BYTES)}
    names = [retry_topic(spec.name, consumer), dead_letter_topic(spec.name, consumer)]
    return [NewTopic(name, 1, replication, topic_configs=configs) for name in names]


async def ensure(
    bootstrap: str, topics: Iterable[TopicSpec], consumed: Iterable[TopicSpec] = (), *, consumer: str = ""
) -> None:
    """Creates what is missing of `topics`, `consumed`, and the retry and dead-letter topics of `consumer`.

    Raises KafkaError when the broker refuses or is away. Replication is 3, or the number of brokers if there are fewer.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=15000)
    await admin.start()
    try:
        cluster = await admin.describe_cluster()
        replication = min(3, max(1, len(cluster["brokers"])))
        topics, consumed = list(topics), list(consumed)
        wanted = {new.name: new for spec in (*topics, *consumed) for new in [_new(spec, replication)]}
        for spec in consumed:
            wanted.update({new.name: new for new in _side_topics(spec, consumer, replication)})
        existing = {found["topic"]: len(found["partitions"]) for found in await admin.describe_topics()}
        missing = [new for name, new in wanted.items() if name not in existing]
        if missing:
            response = await admin.create_topics(missing)
            for name, code, *details in response.topic_errors:
                if code not in (0, TopicAlreadyExistsError.errno):
                    raise for_code(code)(f"{name}: {details}")
        await _grow(admin, [*topics, *consumed], existing)
    finally:
        await admin.close()


async def _grow(admin: AIOKafkaAdminClient, specs: Iterable[TopicSpec], existing: Mapping[str, int]) -> None:
    """Adds the partitions that a topic of an older version lacks, where Kafka deletes by age. In a topic that is only
    compacted the last record of a key would stay in its old partition for ever, beside the new ones."""
    for spec in specs:
        found = existing.get(spec.name, spec.partitions)
        if found < spec.partitions and "delete" not in spec.cleanup_policy:
            log.warning("topic_keeps_its_partitions", topic=spec.name, found=found, wanted=spec.partitions)
        elif found < spec.partitions:
            log.info("topic_grows", topic=spec.name, found=found, wanted=spec.partitions)
            with suppress(InvalidPartitionsError):
                # Another process, which starts at the same time, was faster.
                await admin.create_partitions({spec.name: NewPartitions(spec.partitions)})
