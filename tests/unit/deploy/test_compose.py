"""docker-compose.yml runs what the table of processes says, and keeps to itself what is nobody's business."""

import re
from importlib import import_module
from typing import Any

import pytest
import yaml

from deploy.layout import ROOT
from deploy.stack.processes import (
    BY_NAME,
    CATCHER,
    ENTRANT,
    ENTREE,
    HEALTH_PORT,
    OPERATEURS,
    PROCESSES,
    RAPPELS,
    SERVERS,
    SMS_SOURCE,
    STAND_INS,
    Process,
)
from deploy.standins.sms_operators import reglages
from gateway.door_rules import client_address, networks
from kit.http.connections import Limits
from kit.settings import Settings

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
ENTREE_CFG = (ROOT / "deploy/entree/haproxy.cfg").read_text()

_SMS = {"SMPP_URL", "SMS_HTTP_URL"}

each_process = pytest.mark.parametrize("process", PROCESSES, ids=lambda process: process.name)


def test_compose_lance_processus_serveurs_et_remplacants_et_rien_d_autre() -> None:
    assert set(SERVICES) == {process.name for process in PROCESSES} | set(SERVERS) | {*STAND_INS, ENTREE, "secrets"}


@each_process
def test_un_processus_a_son_image_sa_commande_et_son_port(process: Process) -> None:
    service = SERVICES[process.name]
    assert service["build"]["args"]["SERVICE"] == process.extra
    assert service["image"] == f"place-des-assos/{process.extra}"
    assert service["command"] == [process.kind]
    if process.port is not None:
        assert int(service["environment"].get("PORT", 8080)) == process.port
    assert f"HEALTH_PORT={HEALTH_PORT}" in DOCKERFILE
    assert "HEALTH_PORT" not in service["environment"]


@each_process
def test_un_processus_ne_lit_que_ses_secrets(process: Process) -> None:
    service = SERVICES[process.name]
    assert service["environment"]["SECRETS_DIR"] == ",".join(f"/secrets/{folder}" for folder in process.secrets)
    assert service["volumes"] == [f"secrets-{folder}:/secrets/{folder}:ro" for folder in process.secrets]


@each_process
def test_un_processus_attend_ce_sans_quoi_il_ne_peut_travailler(process: Process) -> None:
    service = SERVICES[process.name]
    waits = service["depends_on"]
    assert {name for name in waits if name in SERVERS} == set(process.servers)
    assert waits["secrets"]["condition"] == "service_completed_successfully"
    assert {waits[name]["condition"] for name in waits if name != "secrets"} == {"service_healthy"}
    given = set(service["environment"])
    assert given >= {f"{server.upper()}_URL" for server in process.servers}
    assert {name for name in given if name.endswith("_URL")} - {"PUBLIC_URL", "SMTP_URL", *_SMS} == {
        *(f"{server.upper()}_URL" for server in (*process.servers, *process.aids)),
        *(f"{peer.upper()}_URL" for peer in process.peers),
    }
    assert ("SMTP_URL" in given) == process.smtp
    assert _SMS & given == (_SMS if process.sms else set())
    for peer in process.peers:
        assert service["environment"][f"{peer.upper()}_URL"] == f"http://{peer}-api:8080"


@each_process
def test_ce_que_l_exemple_nomme_arrive_au_processus_qui_le_lit(process: Process) -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    named = set(re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE))
    reads = import_module(f"{process.module}.settings").Reglages.model_fields
    wanted = {name for name in named if name.lower() in reads and name.lower() not in Settings.model_fields}
    if not process.sms:
        wanted = {name for name in wanted if not name.startswith(("SMS_", "SMPP_"))}
    assert wanted - set(SERVICES[process.name]["environment"]) == set()


@each_process
def test_un_processus_dit_quand_il_est_pret_et_a_peu_de_droits(process: Process) -> None:
    service = SERVICES[process.name]
    assert "/sante/pret" in service["healthcheck"]["test"][-1]
    assert "HEALTH_PORT" in service["healthcheck"]["test"][-1]
    assert service["restart"] == "unless-stopped"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["mem_limit"]


@pytest.mark.parametrize(("kind", "name"), OPERATEURS.items())
def test_un_operateur_garde_ce_qu_il_doit_et_ne_connait_que_ses_secrets(kind: str, name: str) -> None:
    service = SERVICES[name]
    assert service["image"] == SERVICES[CATCHER]["image"]
    assert [*service["entrypoint"], *service["command"]] == ["python", "-m", "deploy.standins.sms_operators", kind]
    assert service["volumes"] == [f"{name}:{service['environment']['DOSSIER']}", "secrets-sms:/secrets/sms:ro"]
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert "/sante/vivant" in service["healthcheck"]["test"][-1]
    given = {name: str(value) for name, value in service["environment"].items()}
    read = reglages.lire(kind, {**given, "SMPP_MOT_DE_PASSE": "m", "SMS_HTTP_CLE": "c", "SMS_HTTP_SECRET": "s"})
    assert (read.catcher_url, read.expediteur) == (f"http://{CATCHER}:8025", SMS_SOURCE)
    assert read.rappel_url == (f"http://gateway:8000{RAPPELS}" if kind == "http" else "")
    assert f"{name}=http://{name}:{read.port}" in SERVICES[CATCHER]["environment"]["OPERATEURS"].split(",")
    sent_to = " ".join(SERVICES["notifications-worker"]["environment"][variable] for variable in _SMS)
    assert f"{name}:{read.smpp_port if kind == 'smsc' else read.port}" in sent_to


def test_toute_operation_peut_se_repeter() -> None:
    """A container's name or a worker's port on the host would forbid --scale."""
    assert not any("container_name" in service for service in SERVICES.values())
    assert {name for name, service in SERVICES.items() if "ports" in service} == {ENTREE, CATCHER, ENTRANT}


def test_l_entree_mene_aux_portes_et_jamais_a_leurs_mesures() -> None:
    gateway = BY_NAME["gateway"]
    (published,) = SERVICES[ENTREE]["ports"]
    assert published.endswith(":8000")
    assert "bind :8000" in ENTREE_CFG
    (servers,) = re.findall(r"server-template passerelle 1-\d+ gateway:(\d+) check port (\d+)", ENTREE_CFG)
    assert servers == (str(gateway.port), str(HEALTH_PORT))
    assert f"bind 127.0.0.1:{SERVICES[ENTREE]['environment']['HEALTH_PORT']}" in ENTREE_CFG


def test_l_entree_n_est_pas_plus_large_que_la_porte() -> None:
    """What is here has limits of the same sizes, since the gateway counts no connections of a trusted proxy."""
    limits = Limits()
    assert set(re.findall(r"timeout http-request (\S+)", ENTREE_CFG)) == {f"{limits.head_s:.0f}s"}
    assert f"tune.http.maxhdr {limits.headers}" in ENTREE_CFG
    assert f"tune.bufsize {limits.head_bytes}" in ENTREE_CFG
    assert f"sc0_conn_cur gt {limits.per_address}" in ENTREE_CFG
    assert f"maxconn {limits.total}" in ENTREE_CFG
    (keep_alive,) = re.findall(r"timeout http-keep-alive (\d+)s", ENTREE_CFG)
    assert int(keep_alive) < limits.idle_s


def test_la_porte_croit_l_entree_et_l_entree_qui_l_exploitant_nomme() -> None:
    assert SERVICES[ENTREE]["environment"]["PROXYS_DE_CONFIANCE"] == "${PROXYS_DE_CONFIANCE:-}"
    assert "http-request set-header X-Forwarded-For %[src]" in ENTREE_CFG
    trusted = networks(SERVICES["gateway"]["environment"]["PROXYS_DE_CONFIANCE"])
    assert client_address("172.18.0.9", "203.0.113.7", trusted) == "203.0.113.7"
    # Somebody on the same network is one person too.
    assert client_address("172.18.0.9", "192.168.1.20", trusted) == "192.168.1.20"


def test_les_ports_sont_de_cette_machine_seule_sauf_demande() -> None:
    for name in (ENTREE, CATCHER):
        assert all(port.startswith("${ADRESSE_PUBLIEE:-127.0.0.1}:") for port in SERVICES[name]["ports"])


def test_kafka_ne_cree_aucun_topic_de_lui_meme() -> None:
    assert SERVICES["kafka"]["environment"]["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"


def test_les_variables_ont_des_valeurs_que_toute_version_de_compose_comprend() -> None:
    """A default within a default is not understood by older ones."""
    text = (ROOT / "docker-compose.yml").read_text()
    for expression in re.findall(r"\$\{[^}]*\}+", text):
        assert re.fullmatch(r"\$\{[A-Z_]+:-[^${}]*\}", expression), expression


def test_les_images_viennent_d_un_seul_dockerfile_et_sans_root() -> None:
    assert "--require-hashes" in DOCKERFILE
    assert re.search(r"^USER 10001", DOCKERFILE, re.MULTILINE)
    assert "--mount" not in DOCKERFILE, "the older builder knows no mounts"
    for process in PROCESSES:
        assert (ROOT / "requirements" / f"{process.extra}.txt").exists()


def test_une_construction_ne_voit_que_le_code() -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    folders = {process.module.split(".")[0] for process in PROCESSES} | {"contracts", "kit"}
    assert {f"!{folder}" for folder in folders} <= set(lines)
