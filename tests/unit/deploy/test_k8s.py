"""The manifests agree with the table of processes, with compose's rights, and with their own templates."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from contracts import topics
from deploy.k8s.manifests import FOLDER, WORKERS_MAX, render, size
from deploy.stack.processes import BY_NAME, HEALTH_PORT, PROCESSES, Process

each_process = pytest.mark.parametrize("process", PROCESSES, ids=lambda process: process.name)


def documents(folder: str) -> Iterator[dict[str, Any]]:
    for path in sorted((FOLDER / folder).glob("*.yaml")):
        yield from yaml.safe_load_all(path.read_text())


BASE = {(document["kind"], document.get("metadata", {}).get("name")): document for document in documents("base")}


def pod(process: Process) -> dict[str, Any]:
    spec: dict[str, Any] = BASE["Deployment", process.name]["spec"]["template"]["spec"]
    return spec


def test_what_is_committed_is_what_the_generator_writes() -> None:
    written = render()
    there = {f"{path.parent.name}/{path.name}" for folder in ("base", "keda") for path in (FOLDER / folder).iterdir()}
    assert there == set(written)
    for name, text in written.items():
        assert (FOLDER / name).read_text() == text, f"{name}: run python -m deploy.k8s"


def test_a_deployment_per_process_and_no_other() -> None:
    assert {name for kind, name in BASE if kind == "Deployment"} == set(BY_NAME)


@each_process
def test_a_container_runs_the_image_the_command_and_the_probes(process: Process) -> None:
    (container,) = pod(process)["containers"]
    assert container["image"] == f"place-des-assos/{process.extra}"
    assert container["args"] == [process.kind]
    assert container["livenessProbe"]["httpGet"]["path"] == "/sante/vivant"
    assert container["readinessProbe"]["httpGet"]["path"] == "/sante/pret"
    assert {port["name"]: port["containerPort"] for port in container["ports"]} == {
        **({"http": process.port} if process.port else {}),
        "sante": HEALTH_PORT,
    }
    probes = [container[f"{name}Probe"]["httpGet"]["port"] for name in ("startup", "liveness", "readiness")]
    assert probes == ["sante"] * 3
    assert container["resources"]["requests"].keys() == {"cpu", "memory"}


@each_process
def test_an_api_goes_on_answering_until_nobody_is_sent_to_it_any_more(process: Process) -> None:
    (container,) = pod(process)["containers"]
    waits = int(container["lifecycle"]["preStop"]["exec"]["command"][1]) if process.kind == "api" else 0
    assert waits >= (5 if process.kind == "api" else 0)
    # uvicorn's 10 s for requests in hand, 10 s for the loops behind them; a worker's loops have 15 s.
    assert waits + 20 < pod(process)["terminationGracePeriodSeconds"]


@each_process
def test_a_container_has_no_right_that_it_does_not_use(process: Process) -> None:
    assert pod(process)["securityContext"]["runAsNonRoot"] is True
    assert pod(process)["automountServiceAccountToken"] is False
    rights = pod(process)["containers"][0]["securityContext"]
    assert rights == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


@each_process
def test_secrets_are_named_and_only_its_own(process: Process) -> None:
    volumes = {volume["name"]: volume for volume in pod(process)["volumes"]}
    assert set(volumes) == {"tmp", *process.secrets}
    for folder in process.secrets:
        assert volumes[folder]["secret"]["secretName"] == f"place-{folder}"
    environment = {entry["name"]: entry for entry in pod(process)["containers"][0]["env"]}
    assert environment["SECRETS_DIR"]["value"] == ",".join(f"/secrets/{folder}" for folder in process.secrets)
    from_secrets = {
        name: entry["valueFrom"]["secretKeyRef"] for name, entry in environment.items() if "valueFrom" in entry
    }
    assert {name for name, key in from_secrets.items() if not key.get("optional")} == {
        *(f"{server.upper()}_URL" for server in process.servers),
        *(["SMTP_URL"] if process.smtp else []),
    }
    assert {name for name, key in from_secrets.items() if key.get("optional")} == {
        *(f"{server.upper()}_URL" for server in process.aids),
        *(["SMPP_URL", "SMS_HTTP_URL"] if process.sms else []),
    }
    assert {(key["name"], key["key"]) for key in from_secrets.values()} == {("place-serveurs", n) for n in from_secrets}
    for peer in process.peers:
        assert environment[f"{peer.upper()}_URL"]["value"] == f"http://{peer}-api:{BY_NAME[f'{peer}-api'].port}"


def test_no_secret_is_written_here() -> None:
    assert not [name for kind, name in BASE if kind == "Secret"]


@each_process
def test_apis_scale_by_processor_and_are_called_by_name(process: Process) -> None:
    is_api = process.kind == "api"
    assert (("Service", process.name) in BASE) == is_api
    assert (("HorizontalPodAutoscaler", process.name) in BASE) == is_api
    assert ("PodDisruptionBudget", process.name) in BASE


def test_only_the_gateway_is_reached_from_outside() -> None:
    assert BASE["NetworkPolicy", "personne-sans-exception"]["spec"] == {"podSelector": {}, "policyTypes": ["Ingress"]}
    for process in PROCESSES:
        rules = BASE["NetworkPolicy", process.name]["spec"]["ingress"]
        sources = [source for rule in rules for source in rule["from"]]
        namespaces = {
            source["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
            for source in sources
            if "namespaceSelector" in source
        }
        pods = {
            source["podSelector"]["matchLabels"]["app.kubernetes.io/name"]
            for source in sources
            if "podSelector" in source
        }
        for rule in rules:
            (source,) = rule["from"]
            # Metrics and health are for whoever watches; the door and the other processes have no way there.
            watches = "monitoring" in str(source)
            assert rule["ports"] == [{"port": "sante" if watches else "http"}]
        assert ("ingress-nginx" in namespaces) == (process.name == "gateway")
        callers = {other.name for other in PROCESSES if process.service in other.peers}
        assert pods == (callers if process.kind == "api" else set())


def test_workers_scale_by_the_lag_of_what_they_read_and_not_beyond_the_partitions() -> None:
    scaled = {d["metadata"]["name"]: d["spec"] for d in documents("keda") if d["kind"] == "ScaledObject"}
    workers = {process.name: process for process in PROCESSES if process.kind == "worker"}
    assert set(scaled) == set(workers)
    for name, spec in scaled.items():
        assert spec["maxReplicaCount"] == size(workers[name]).replicas_max <= WORKERS_MAX
        named = {trigger["metadata"]["topic"] for trigger in spec["triggers"]}
        # Its own topic every worker reads whole, in no group: more workers would not lessen a lag there.
        service = workers[name].service
        assert named == {topic.name for topic in topics.read_by(service) if topic.owner != service}
        assert {trigger["metadata"]["consumerGroup"] for trigger in spec["triggers"]} == {workers[name].service}


def test_the_example_names_every_image() -> None:
    example = yaml.safe_load((FOLDER / "exemple" / "kustomization.yaml").read_text())
    assert {image["name"] for image in example["images"]} == {f"place-des-assos/{p.extra}" for p in PROCESSES}
