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


def test_the_processes_are_those_of_the_table() -> None:
    assert set(COMPOSE) == {process.name for process in PROCESSES} | set(SERVERS) | {*STAND_INS, ENTREE, "secrets"}


def test_every_owner_and_reader_of_a_topic_has_a_process() -> None:
    services = {process.service for process in PROCESSES}
    assert {service for topic in topics.TOPICS for service in (topic.owner, *topic.readers)} == services


@pytest.mark.parametrize("process", PROCESSES, ids=lambda process: process.name)
def test_a_process_runs_its_command_from_the_image_of_its_service(process: Process) -> None:
    found = COMPOSE[process.name]
    assert found["command"] == [process.kind]
    assert found["build"]["args"]["SERVICE"] == process.extra


@pytest.mark.parametrize("process", PROCESSES, ids=lambda process: process.name)
def test_a_process_reads_its_own_secrets_and_no_other(process: Process) -> None:
    found = COMPOSE[process.name]
    mounted = {volume.split(":")[0].removeprefix("secrets-") for volume in found["volumes"]}
    named = {Path(folder).name for folder in found["environment"]["SECRETS_DIR"].split(",")}
    assert mounted == named == set(process.secrets)


@pytest.mark.parametrize("process", PROCESSES, ids=lambda process: process.name)
def test_a_process_knows_its_servers_and_peers(process: Process) -> None:
    environment = COMPOSE[process.name]["environment"]
    urls = {name.removesuffix("_URL").lower() for name in environment if name.endswith("_URL")} - {"public"}
    assert urls == {*process.servers, *process.aids, *process.peers} | ({"smtp"} if process.smtp else set()) | (
        {"smpp", "sms_http"} if process.sms else set()
    )
    waited_for = set(COMPOSE[process.name]["depends_on"])
    assert set(process.servers) <= waited_for
