"""Where tests find real servers: URLs given, else containers where Docker answers, else the embedded ones."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.stack.servers.servers import Servers


@dataclass(frozen=True)
class Serveurs:
    """`kind` says which rung of the ladder was taken: urls, containers or embedded."""

    mongo_url: str
    redis_url: str
    kafka_url: str
    kind: str


@contextmanager
def serveurs(folder: Path) -> Iterator[Serveurs]:
    """Real MongoDB (replica set), Redis and Kafka for the time of the `with`; data below `folder`."""
    mongo_url, redis_url, kafka_url = (os.environ.get(name, "") for name in ("MONGO_URL", "REDIS_URL", "KAFKA_URL"))
    if mongo_url and redis_url and kafka_url:
        yield Serveurs(mongo_url, redis_url, kafka_url, kind="urls")
    elif _docker_answers():
        with ExitStack() as stack:
            yield _containers(stack)
    else:
        with Servers(folder) as embedded:
            urls = embedded.urls
            yield Serveurs(urls["MONGO_URL"], urls["REDIS_URL"], urls["KAFKA_URL"], kind="embedded")


def _docker_answers() -> bool:
    import docker
    from docker.errors import DockerException

    try:
        docker.from_env(timeout=5).ping()
    except DockerException:
        return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _containers(stack: ExitStack) -> Serveurs:
    from testcontainers.core.container import DockerContainer
    from testcontainers.core.wait_strategies import LogMessageWaitStrategy

    # A plain container each: the ready-made classes know no replica set, and want a Confluent image for Kafka.
    redis = stack.enter_context(DockerContainer("redis:7-alpine").with_exposed_ports(6379))
    mongo_port = _free_port()
    mongo = (
        DockerContainer("mongo:7")
        .with_bind_ports(mongo_port, mongo_port)
        # The member's own address must be true inside and outside, hence the same port on both sides.
        .with_command(f"--replSet rs0 --port {mongo_port} --setParameter transactionLifetimeLimitSeconds=15")
    )
    stack.enter_context(mongo)
    kafka_port = _free_port()
    kafka = DockerContainer("apache/kafka:4.1.1").with_bind_ports(kafka_port, kafka_port)
    for name, value in {
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_LISTENERS": f"PLAINTEXT://:{kafka_port},CONTROLLER://:9093",
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://127.0.0.1:{kafka_port}",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
    }.items():
        kafka.with_env(name, value)
    # The engine's own proxy accepts connections before the server does: only the server can say that it is there.
    kafka.waiting_for(LogMessageWaitStrategy("Kafka Server started").with_startup_timeout(120))
    stack.enter_context(kafka)
    mongo_url = f"mongodb://127.0.0.1:{mongo_port}/?replicaSet=rs0"
    _initiate(mongo_port)
    redis_url = f"redis://127.0.0.1:{redis.get_exposed_port(6379)}/0"
    _wait_for_redis(redis_url)
    return Serveurs(mongo_url, redis_url, f"127.0.0.1:{kafka_port}", kind="containers")


def _wait_for_redis(url: str, seconds: float = 60) -> None:
    from redis import Redis
    from redis.exceptions import RedisError

    end = time.monotonic() + seconds
    with Redis.from_url(url, socket_timeout=1) as client:
        while True:
            try:
                client.ping()
            except RedisError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)
            else:
                return


def _initiate(port: int) -> None:
    from pymongo import MongoClient
    from pymongo.errors import OperationFailure

    client: MongoClient[dict[str, object]] = MongoClient(f"mongodb://127.0.0.1:{port}/?directConnection=true")
    try:
        client.admin.command("replSetInitiate", {"_id": "rs0", "members": [{"_id": 0, "host": f"127.0.0.1:{port}"}]})
    except OperationFailure as error:
        if error.code != 23:  # already initiated
            raise
    while not client.admin.command("hello")["isWritablePrimary"]:
        time.sleep(0.05)
    client.close()
