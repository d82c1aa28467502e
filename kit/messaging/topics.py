"""Creates topics as declared and reads their end offsets. Several processes may do so at the same time."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence, Set
from contextlib import asynccontextmanager, suppress
from typing import Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import InvalidPartitionsError, TopicAlreadyExistsError, for_code

from kit.logging import get_logger
from kit.messaging.deadletters import dead_letter_topic, held_topic, retry_topic
from kit.waiting import every

log = get_logger(__name__)

_DEAD_LETTER_RETENTION_MS = 14 * 24 * 3600 * 1000
# Held messages wait for hours at most. They hold what people wrote, so they are not kept without end.
_HELD_RETENTION_MS = 30 * 24 * 3600 * 1000
_ONE_DAY_MS = str(24 * 3600 * 1000)
# Twice the broker's default limit: the largest message must fit together with the headers that explain it.
_DEAD_LETTER_MAX_BYTES = 2 * 1024 * 1024
# Kafka's code for the source of a configuration (DYNAMIC_TOPIC_CONFIG).
_SET_FOR_THE_TOPIC = 1
_ENSURE_EVERY_S = 5.0
_REQUEST_MS = 15000


class TopicSpec(Protocol):
    """Declaration of a topic. `retention_ms` None: records are kept without limit."""

    @property
    def name(self) -> str: ...
    @property
    def partitions(self) -> int: ...
    @property
    def cleanup_policy(self) -> str: ...
    @property
    def retention_ms(self) -> int | None: ...


def _new(spec: TopicSpec, replication: int) -> NewTopic:
    """Kafka removes whole segments, and compacts when it likes: without these two limits what is erased stays on."""
    configs = {"cleanup.policy": spec.cleanup_policy, "segment.ms": _ONE_DAY_MS}
    if spec.retention_ms is not None:
        configs["retention.ms"] = str(spec.retention_ms)
    if "compact" in spec.cleanup_policy:
        configs["max.compaction.lag.ms"] = _ONE_DAY_MS
    return NewTopic(spec.name, spec.partitions, replication, topic_configs=configs)


def _side_topics(spec: TopicSpec, consumer: str, replication: int) -> list[NewTopic]:
    kept_ms = {
        retry_topic(spec.name, consumer): _DEAD_LETTER_RETENTION_MS,
        held_topic(spec.name, consumer): _HELD_RETENTION_MS,
        dead_letter_topic(spec.name, consumer): _DEAD_LETTER_RETENTION_MS,
    }
    largest = {"max.message.bytes": str(_DEAD_LETTER_MAX_BYTES), "segment.ms": _ONE_DAY_MS}
    return [
        NewTopic(name, 1, replication, topic_configs={"retention.ms": str(kept), **largest})
        for name, kept in kept_ms.items()
    ]


class Topics:
    """The topics that a service writes (`owned`) and reads (`consumed`, with their retry, held and dead-letter topics).

    The connection stays open, because topics are checked every few seconds: Kafka may lose its data at any time.
    """

    def __init__(
        self, bootstrap: str, owned: Sequence[TopicSpec], consumed: Sequence[TopicSpec] = (), *, consumer: str = ""
    ) -> None:
        self._bootstrap = bootstrap
        self._specs = [*owned, *consumed]
        self._consumed = list(consumed)
        self._consumer = consumer
        self.owned = [spec.name for spec in owned]
        self.tried = asyncio.Event()
        """Set once `keep` has created the missing topics, or has found that Kafka is away."""
        self._one_at_a_time = asyncio.Lock()
        self._aligned = False
        self._admin: AIOKafkaAdminClient | None = None
        self._reader: AIOKafkaConsumer | None = None

    async def ensure(self) -> list[str]:
        """Creates the missing topics and returns their names. Raises KafkaError when the broker refuses or is away.

        The replication factor is 3, or the number of brokers if smaller.
        """
        async with self._connected():
            return await self._ensure()

    async def _ensure(self) -> list[str]:
        if self._admin is None:
            self._admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap, request_timeout_ms=_REQUEST_MS)
            await self._admin.start()
        existing = {found["topic"]: len(found["partitions"]) for found in await self._admin.describe_topics()}
        wanted = await self._wanted(self._admin, existing.keys())
        missing = [new for name, new in wanted.items() if name not in existing]
        if missing:
            response = await self._admin.create_topics(missing)
            for name, code, *details in response.topic_errors:
                if code not in (0, TopicAlreadyExistsError.errno):
                    raise for_code(code)(f"{name}: {details}")
        if not self._aligned:
            await _grow(self._admin, self._specs, existing)
            await self._configure(self._admin, existing.keys())
            self._aligned = True
        return [new.name for new in missing]

    async def _configure(self, admin: AIOKafkaAdminClient, existing: Set[str]) -> None:
        """Topics of an older version get the configuration of the table; what somebody has set beside it stays."""
        wanted = {name: new.topic_configs for name, new in self._all(replication=1).items() if name in existing}
        for name, found in (await _configs(admin, wanted)).items():
            whole = found | wanted[name]
            if whole != found:
                (answer,) = await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, whole)])
                for code, *details in answer.resources:
                    if code:
                        raise for_code(code)(f"{name}: {details}")
                log.info("topic_configured", topic=name)

    async def _wanted(self, admin: AIOKafkaAdminClient, existing: Set[str]) -> dict[str, NewTopic]:
        sides = {f(spec.name, self._consumer) for spec in self._consumed for f in (retry_topic, dead_letter_topic)}
        if sides | {spec.name for spec in self._specs} <= existing:
            return {}
        return self._all(min(3, max(1, len((await admin.describe_cluster())["brokers"]))))

    def _all(self, replication: int) -> dict[str, NewTopic]:
        wanted = {spec.name: _new(spec, replication) for spec in self._specs}
        for spec in self._consumed:
            wanted.update({new.name: new for new in _side_topics(spec, self._consumer, replication)})
        return wanted

    async def ends(self) -> dict[str, dict[str, int]]:
        """For each owned topic that exists: partition → offset of its next record. Raises KafkaError or ConnectionError
        when the broker is away."""
        async with self._connected():
            return await self._ends()

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[None]:
        """Opens the connections, one caller at a time. An error closes them, and the next call opens new ones."""
        async with self._one_at_a_time:
            try:
                yield
            except BaseException:
                await self.close()
                raise

    async def _ends(self) -> dict[str, dict[str, int]]:
        if self._reader is None:
            self._reader = AIOKafkaConsumer(bootstrap_servers=self._bootstrap, request_timeout_ms=_REQUEST_MS)
            await self._reader.start()
        cluster = await self._reader._client.fetch_all_metadata()
        found = {name: cluster.partitions_for_topic(name) or set() for name in self.owned}
        partitions = [TopicPartition(name, number) for name, numbers in found.items() for number in numbers]
        ends = await self._reader.end_offsets(partitions) if partitions else {}
        return {
            name: {str(number): ends[TopicPartition(name, number)] for number in sorted(numbers)}
            for name, numbers in found.items()
            if numbers
        }

    async def keep(self) -> None:
        """Creates missing topics repeatedly until it is cancelled; waits while the broker is away."""

        async def look() -> bool:
            try:
                await self.ensure()
            finally:
                self.tried.set()
            return False

        try:
            await every(_ENSURE_EVERY_S, look, asyncio.Event(), away="topics_wait_for_kafka")
        finally:
            await self.close()

    async def close(self) -> None:
        admin, reader = self._admin, self._reader
        self._admin = self._reader = None
        if admin is not None:
            await admin.close()
        if reader is not None:
            await reader.stop()


async def ensure(
    bootstrap: str, owned: Sequence[TopicSpec], consumed: Sequence[TopicSpec] = (), *, consumer: str = ""
) -> None:
    """Runs `Topics.ensure` once."""
    made = Topics(bootstrap, owned, consumed, consumer=consumer)
    try:
        await made.ensure()
    finally:
        await made.close()


async def _configs(admin: AIOKafkaAdminClient, names: Iterable[str]) -> dict[str, dict[str, str]]:
    """For each of these topics: what was set for the topic itself."""
    asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    found = {}
    for answer in await admin.describe_configs(asked) if asked else []:
        for code, message, _, name, entries in answer.resources:
            if code:
                raise for_code(code)(f"{name}: {message}")
            found[name] = {entry[0]: entry[1] for entry in entries if entry[3] == _SET_FOR_THE_TOPIC}
    return found


async def _grow(admin: AIOKafkaAdminClient, specs: Iterable[TopicSpec], existing: Mapping[str, int]) -> None:
    """Adds partitions to topics created with fewer, if Kafka deletes their records by age. In a topic that is only
    compacted, the last record of a key would stay in its old partition for ever, beside newer ones elsewhere."""
    for spec in specs:
        found = existing.get(spec.name, spec.partitions)
        if found < spec.partitions and "delete" not in spec.cleanup_policy:
            log.warning("topic_keeps_its_partitions", topic=spec.name, found=found, wanted=spec.partitions)
        elif found < spec.partitions:
            log.info("topic_grows", topic=spec.name, found=found, wanted=spec.partitions)
            with suppress(InvalidPartitionsError):
                # Another process that starts at the same time was faster.
                await admin.create_partitions({spec.name: NewPartitions(spec.partitions)})
