"""Secrets, the jars' lock, leftovers, lag, addresses."""

import base64
import re
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from deploy.errors import Impossible
from deploy.stack import external, secrets
from deploy.stack.servers import jars
from deploy.stack.servers.kafka import Kafka
from deploy.stack.servers.leftovers import bound, sweep
from deploy.verbs.logs import matching, tail
from deploy.verbs.status import by_reader, duration
from kit.messaging.lag import Lag


def test_les_secrets_sont_faits_une_fois_et_fermes_aux_autres(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    assert len(secrets.make(folder)) == 14
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert secrets.make(folder) == []
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert {path.stat().st_mode & 0o777 for path in before} == {0o600}
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o700}
    for signer, name in (("gateway", ""), ("annonces", "_annonces"), ("notifications", "_notifications")):
        private = load_pem_private_key(before[folder / signer / "jeton_cle_privee"], None)
        public = load_pem_public_key(before[folder / f"commun/jeton_cle_publique{name}"])
        assert private.public_key() == public
    assert len(base64.urlsafe_b64decode(before[folder / "notifications/cle_liens"])) == 32
    password = before[folder / "sms/smpp_mot_de_passe"].decode()
    assert re.fullmatch("[A-Za-z0-9_-]{8}", password), "SMPP holds 8 octets; it is part of a URL"


def test_une_cle_privee_perdue_refait_la_paire(tmp_path: Path) -> None:
    secrets.make(tmp_path)
    (tmp_path / "gateway/jeton_cle_privee").unlink()
    assert secrets.make(tmp_path) == ["gateway/jeton_cle_privee", "commun/jeton_cle_publique"]


def test_le_verrou_tient_une_version_de_chaque_jar() -> None:
    locked = jars.read_lock(jars.LOCK.read_text())
    assert len({jar.name for jar in locked}) == len(locked)
    assert all(len(bytes.fromhex(jar.sha256)) == 32 for jar in locked)
    for root in jars.ROOTS:
        group, name, version = root.split(":")
        assert (group, name, version) in {(jar.group, jar.name, jar.version) for jar in locked}


def test_un_jar_altere_n_est_pas_accepte(tmp_path: Path) -> None:
    good = tmp_path / "x-1.jar"
    good.write_bytes(b"jar")
    jar = jars.Jar("g", "x", "1", jars.digest(good))
    assert jars._matches(good, jar)
    good.write_bytes(b"altered")
    assert not jars._matches(good, jar)


def test_ce_qu_un_parent_mort_a_laisse_est_tue_mais_pas_un_numero_repris(tmp_path: Path) -> None:
    # Reads its standard input until we close it: it ends by itself if the sweep does nothing.
    command = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    child = subprocess.Popen(bound("serveur", tmp_path, command), stdin=subprocess.PIPE)
    stranger = subprocess.Popen(command, stdin=subprocess.PIPE)
    try:
        # Its arguments change, by way of an empty list, when it becomes the command.
        while _arguments(child.pid) != command:
            assert child.poll() is None
        (tmp_path / "autre.pid").write_text(f'{{"pid": {stranger.pid}, "command": ["mongod", "--port"]}}')
        (tmp_path / "supervisord.pid").write_text("1\n")
        assert sweep(tmp_path) == ["serveur"]
        assert not psutil.pid_exists(child.pid)
        assert stranger.poll() is None
        assert list(tmp_path.iterdir()) == []
    finally:
        for process in (child, stranger):
            process.kill()
            process.communicate()


def _arguments(pid: int) -> list[str]:
    return list(psutil.Process(pid).cmdline())


def test_un_service_a_le_retard_de_tous_ses_groupes() -> None:
    measured = {
        ("matching", "a"): Lag(3, 0.5),
        ("matching", "b"): Lag(4, 2.5),
        ("matching.retry", "a.matching.retry"): Lag(1, 9.0),
        ("gateway", "a"): Lag(0, 0.0),
    }
    assert by_reader(measured) == {"matching-worker": Lag(8, 9.0), "gateway": Lag(0, 0.0)}


def test_une_adresse_se_montre_sans_mot_de_passe() -> None:
    assert external.hosts("mongodb://u:p%40@a:1,b:2/?replicaSet=rs") == "a:1,b:2"
    assert external.hosts("127.0.0.1:9092") == "127.0.0.1:9092"
    with pytest.raises(Impossible, match="REDIS_URL"):
        external.check("REDIS_URL", "redis://127.0.0.1:1/0")


def test_kafka_est_un_noeud_qui_ne_cree_aucun_topic(tmp_path: Path) -> None:
    text = Kafka(tmp_path, 1, 2, tmp_path).properties()
    for line in (
        "auto.create.topics.enable=false",
        "offsets.topic.replication.factor=1",
        "transaction.state.log.min.isr=1",
        "group.initial.rebalance.delay.ms=0",
    ):
        assert line in text.splitlines()


def test_la_fin_d_un_journal_et_les_journaux_d_un_service_se_lisent(tmp_path: Path) -> None:
    for name in ("annonces-api", "annonces-worker", "annoncesX", "redis"):
        (tmp_path / f"{name}.log").write_text("".join(f"{n}\n" for n in range(100)))
    assert tail(tmp_path / "redis.log", 2) == ["98", "99"]
    assert [path.stem for path in matching(tmp_path, "annonces")] == ["annonces-api", "annonces-worker"]
    with pytest.raises(Impossible, match="redis"):
        matching(tmp_path, "rien")


def test_les_durees_se_lisent_en_peu_de_mots() -> None:
    assert [duration(s) for s in (None, 40, 720, 11100)] == ["—", "40 s", "12 min", "3 h 05"]
