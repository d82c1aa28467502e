"""docker-compose.yml runs the processes of deploy/stack/processes.py: the same names, commands, images and secrets."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts import topics
from deploy.stack.processes import ENTREE, PROCESSES, SERVERS, STAND_INS, Process

COMPOSE: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parents[3] / "docker-compose.yml").read_text(encoding="utf-8")
)["services"]


def test_les_processus_sont_ceux_de_la_table() -> None:
    assert set(COMPOSE) == {process.name for process in PROCESSES} | set(SERVERS) | {*STAND_INS, ENTREE, "secrets"}


def test_chaque_proprietaire_et_lecteur_d_un_topic_a_un_processus() -> None:
    services = {process.service for process in PROCESSES}
    assert {service for topic in topics.TOPICS for service in (topic.owner, *topic.readers)} == services


@pytest.mark.parametrize("process", PROCESSES, ids=lambda process: process.name)
def test_un_processus_lance_sa_commande_depuis_l_image_de_son_service(process: Process) -> None:
    found = COMPOSE[process.name]
    assert found["command"] == [process.kind]
    assert found["build"]["args"]["SERVICE"] == process.extra


@pytest.mark.parametrize("process", PROCESSES, ids=lambda process: process.name)
def test_un_processus_lit_ses_secrets_et_aucun_autre(process: Process) -> None:
    found = COMPOSE[process.name]
    mounted = {volume.split(":")[0].removeprefix("secrets-") for volume in found["volumes"]}
    named = {Path(folder).name for folder in found["environment"]["SECRETS_DIR"].split(",")}
    assert mounted == named == set(process.secrets)


@pytest.mark.parametrize("process", PROCESSES, ids=lambda process: process.name)
def test_un_processus_connait_ses_serveurs_et_ses_voisins(process: Process) -> None:
    environment = COMPOSE[process.name]["environment"]
    urls = {name.removesuffix("_URL").lower() for name in environment if name.endswith("_URL")} - {"public"}
    assert urls == {*process.servers, *process.aids, *process.peers} | ({"smtp"} if process.smtp else set()) | (
        {"smpp", "sms_http"} if process.sms else set()
    )
    waited_for = set(COMPOSE[process.name]["depends_on"])
    assert set(process.servers) <= waited_for
