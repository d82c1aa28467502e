"""Apache Kafka as one KRaft node: broker and controller in one process."""

import os
import socket
import struct
import subprocess
import uuid
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from pathlib import Path

from deploy.errors import Impossible
from deploy.stack.servers import jars, java

# C1 compiler only: the broker is started often and runs for hours at most, and the full compiler would compete with the
# services for two cores.
_JVM = ("-Xmx384m", "-Xms128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true")

_LOG4J = """\
status = error
appender.sortie.type = Console
appender.sortie.name = sortie
appender.sortie.layout.type = PatternLayout
appender.sortie.layout.pattern = %d{ISO8601} %p %c{1} %m%n
rootLogger.level = warn
rootLogger.appenderRef.sortie.ref = sortie
"""


def _escape(value: str) -> str:
    """Java reads .properties files as ISO-8859-1, so other characters are written as \\uXXXX."""
    utf16 = value.replace("\\", "\\\\").encode("utf-16-be")
    units = (int.from_bytes(utf16[i : i + 2], "big") for i in range(0, len(utf16), 2))
    return "".join(chr(unit) if unit < 128 else f"\\u{unit:04x}" for unit in units)


@dataclass(frozen=True)
class Kafka:
    """Data below ``folder``; listens on 127.0.0.1:``port`` for clients and ``controller_port`` for itself."""

    folder: Path
    port: int
    controller_port: int
    cache: Path
    name: str = "kafka"
    title: str = "Apache Kafka"
    start_seconds: float = 120.0
    _java: list[Path] = field(default_factory=list, repr=False, compare=False)

    @property
    def url(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """Java decodes its arguments, which contain folder names, by the locale."""
        return {"LC_ALL": "C.UTF-8"}

    def prepare(self) -> None:
        """Installs the jars, writes the configuration, and formats the log folder; idempotent. Raises Impossible."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._properties.write_text(self.properties())
        self._log4j.write_text(_LOG4J)
        jars.install(self.cache)
        if not (self._log / "meta.properties").exists():
            cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
            # The tool mistakes an identifier that begins with "-" for an option.
            cluster = "P" + cluster[1:]
            run = subprocess.run(
                [*self._run_java(), "kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(self._properties)],
                capture_output=True,
                text=True,
                check=False,
                env={**os.environ, **self.environment},
            )
            if run.returncode != 0:
                lines = (run.stderr + run.stdout).strip().splitlines()
                reason = next((line for line in lines if "rror" in line or "xception" in line), "sans message")
                raise Impossible(
                    f"Kafka ne peut préparer son dossier {self._log} ({reason}) : effacez-le avec "
                    "« ./place down --wipe », ou donnez l’adresse d’un Kafka existant dans KAFKA_URL."
                )

    def command(self) -> list[str]:
        # Java ignores the ports here, but supervisord restarts a program only when its command changes.
        return [
            *self._run_java(),
            f"-Dplace.ports={self.port},{self.controller_port}",
            "kafka.Kafka",
            str(self._properties),
        ]

    def answers(self) -> bool:
        """True once the broker answers ApiVersions on the port of its clients."""
        # Header v1 of ApiVersions v0: api key 18, version 0, correlation id, client id.
        client = b"place"
        request = struct.pack(">hhih", 18, 0, 1, len(client)) + client
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
                connection.sendall(struct.pack(">i", len(request)) + request)
                head = connection.recv(8, socket.MSG_WAITALL)
                return len(head) == 8 and struct.unpack(">ii", head)[1] == 1
        except OSError:
            return False

    def version(self) -> str:
        return jars.KAFKA

    def properties(self) -> str:
        """The configuration of the broker: one node, and cheap partitions (the system has about 200)."""
        lines = {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@127.0.0.1:{self.controller_port}",
            "listeners": f"PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self.controller_port}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{self.port}",
            "controller.listener.names": "CONTROLLER",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "log.dirs": self._log,
            "auto.create.topics.enable": "false",
            "num.partitions": 12,
            "default.replication.factor": 1,
            "min.insync.replicas": 1,
            "offsets.topic.replication.factor": 1,
            "offsets.topic.num.partitions": 4,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "transaction.state.log.num.partitions": 4,
            "share.coordinator.state.topic.replication.factor": 1,
            "share.coordinator.state.topic.min.isr": 1,
            # The default waits 3 s for more members before the first assignment of a group.
            "group.initial.rebalance.delay.ms": 0,
            # After a kill -9 the controller refuses the broker until its old session ends (9 s by default).
            "broker.session.timeout.ms": 4000,
            "broker.heartbeat.interval.ms": 1000,
            # Kafka allocates index files at their full size (10 MB by default) for every partition.
            "log.index.size.max.bytes": 1_048_576,
            "log.segment.bytes": 67_108_864,
            "log.cleaner.dedupe.buffer.size": 16_777_216,
            "num.network.threads": 2,
            "num.io.threads": 4,
            "num.recovery.threads.per.data.dir": 2,
            "background.threads": 2,
        }
        return "".join(f"{key}={_escape(str(value))}\n" for key, value in lines.items())

    @property
    def _log(self) -> Path:
        return self.folder / "log"

    @property
    def _properties(self) -> Path:
        return self.folder / "server.properties"

    @property
    def _log4j(self) -> Path:
        return self.folder / "log4j2.properties"

    def _run_java(self) -> list[str]:
        if not self._java:
            self._java.append(java.find())
        classpath = f"{jars.install(self.cache)}/*"
        return [str(self._java[0]), *_JVM, f"-Dlog4j2.configurationFile={self._log4j}", "-cp", classpath]
