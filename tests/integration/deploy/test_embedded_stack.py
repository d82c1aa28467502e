"""./place and the embedded servers, as somebody who types the commands meets them."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from deploy.layout import ROOT
from deploy.stack import ports
from deploy.stack.servers.servers import Servers
from deploy.stack.servers.waiting import wait_until

_PARENT = """
import sys
from pathlib import Path
from deploy.stack.servers.servers import Servers
with Servers(Path(sys.argv[1]), only=("redis",)):
    print("ready", flush=True)
    sys.stdin.read()
"""


def gone(pid: int) -> bool:
    """A zombie whose new parent has not looked yet is gone too."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    given = {"MONGO_URL", "REDIS_URL", "KAFKA_URL", "SMTP_URL"}
    kept = {name: value for name, value in os.environ.items() if name not in given}
    # Not those that `./place up` prefers: two stacks that start at once would both find them free.
    chosen = {name: str(ports.pick()) for name in ("PORT_GATEWAY", "PORT_COURRIER")}
    return {**kept, **chosen, "PLACE_DIR": str(tmp_path / "place"), "PLACE_ENV": sys.prefix}


def test_les_serveurs_meurent_avec_leur_parent_tue(tmp_path: Path, environment: dict[str, str]) -> None:
    command = [sys.executable, "-c", _PARENT, str(tmp_path)]
    parent = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    assert parent.stdout.readline() == b"ready\n"
    redis = int(json.loads((tmp_path / "pids" / "redis.pid").read_text())["pid"])
    assert not gone(redis)
    parent.send_signal(signal.SIGKILL)
    parent.communicate()
    wait_until(lambda: gone(redis), "la fin de redis", 20, lambda: None)


def test_un_serveur_tue_redemarre_avec_ses_donnees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from redis import Redis

    monkeypatch.delenv("REDIS_URL", raising=False)
    with Servers(tmp_path, only=("redis",)) as servers:
        with Redis.from_url(servers.urls["REDIS_URL"]) as client:
            client.set("cle", "valeur")
        servers.kill("redis")
        servers.start("redis")
        with Redis.from_url(servers.urls["REDIS_URL"]) as client:
            assert client.get("cle") == b"valeur"


def place(environment: dict[str, str], *arguments: str, code: int | None = 0) -> str:
    # From another folder: the command finds its own.
    run = subprocess.run(
        [str(ROOT / "place"), *arguments], cwd="/", env=environment, capture_output=True, text=True, check=False
    )
    assert code is None or run.returncode == code, run.stdout + run.stderr
    return run.stdout if code == 0 or code is None else run.stderr


def test_demarrer_deux_fois_perdre_le_superviseur_arreter_et_tout_effacer(environment: dict[str, str]) -> None:
    home = Path(environment["PLACE_DIR"])
    assert "./place up" in place(environment, "status", code=1)
    try:
        first = place(environment, "up", "--only", "servers")
        assert place(environment, "up", "--only", "servers") == first
        pids = {
            row["nom"]: row["pid"]
            for row in json.loads(place(environment, "status", "--json", code=None))["programmes"]
        }
        os.kill(int((home / "run" / "supervisord.pid").read_text()), signal.SIGKILL)
        wait_until(lambda: all(gone(pid) for pid in pids.values() if pid), "la fin des serveurs", 20, lambda: None)
        assert place(environment, "up", "--only", "servers") == first
        place(environment, "stop", "redis")
        rows = {row["nom"]: row for row in json.loads(place(environment, "status", "--json", code=None))["programmes"]}
        assert (rows["redis"]["pret"], rows["mongo"]["pret"]) == (False, True)
        place(environment, "start", "redis")
        assert "matching=3" in place(environment, "scale", "matching=beaucoup", code=1)
    finally:
        place(environment, "down", "--wipe")
    assert not (home / "data").exists()
    assert "./place up" in place(environment, "stop", "redis", code=1)
