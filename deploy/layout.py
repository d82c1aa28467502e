"""Files of ./place. All of them are below one folder, so that deleting it removes everything."""

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# A socket path has at most 108 bytes on Linux and 104 on macOS, and supervisord appends ".<pid>" while it binds.
_SOCKET_PATH_MAX = 90


@dataclass(frozen=True)
class Layout:
    """Paths below ``home`` (``.place`` of the clone, or PLACE_DIR)."""

    home: Path

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def run(self) -> Path:
        return self.home / "run"

    @property
    def secrets(self) -> Path:
        return self.home / "secrets"

    @property
    def ports(self) -> Path:
        return self.home / "ports.json"

    @property
    def counts(self) -> Path:
        # Named when only workers could be counted.
        return self.home / "workers.json"

    @property
    def conf(self) -> Path:
        return self.home / "supervisord.conf"

    @property
    def supervisor_log(self) -> Path:
        return self.logs / "supervisord.log"

    @property
    def socket(self) -> Path:
        """Socket of supervisord. For a clone in a deep folder it is in the temporary folder, because its path must be
        short."""
        here = self.run / "supervisor.sock"
        if len(os.fsencode(here)) <= _SOCKET_PATH_MAX:
            return here
        digest = hashlib.sha256(os.fsencode(self.home)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"place-{os.getuid()}-{digest}" / "supervisor.sock"

    def make(self) -> None:
        """Creates the folders; idempotent."""
        for folder in (self.home, self.data, self.logs, self.run, self.socket.parent):
            folder.mkdir(parents=True, exist_ok=True)
        self.socket.parent.chmod(0o700)


def current() -> Layout:
    """The layout of this clone, or of the folder in PLACE_DIR (a second stack on the same machine)."""
    return Layout(Path(os.environ.get("PLACE_DIR") or ROOT / ".place").absolute())


def cache() -> Path:
    """Folder of downloads that clones and stacks may share (PLACE_CACHE; by default inside the clone)."""
    return Path(os.environ.get("PLACE_CACHE") or ROOT / ".place" / "jars").absolute()
