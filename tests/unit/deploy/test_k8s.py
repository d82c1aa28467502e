"""The manifests agree with the table of processes, with compose's rights, and with their own templates."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from contracts import topics
from deploy.k8s.manifests import FOLDER, WORKERS_MAX, port_name, render, size
from deploy.stack.processes import BY_NAME, HEALTH_PORT, PROCESSES, Process

each_process = pytest.mark.parametrize("process", PROCESSES, ids=lambda process: process.name)


def documents(folder: str) -> Iterator[dict[str, Any]]:
    for path in sorted((FOLDER / folder).glob("*.yaml")):
        yield from yaml.safe_load_all(path.read_text())


BASE = {(document["kind"], document.get("metadata", {}).get("name")): document for document in documents("base")}


def pod(process: Process) -> dict[str, Any]:
    spec: dict[str, Any] = BASE["Deployment", process.name]["spec"]["template"]["spec"]
    return spec


def test_les_fichiers_gardes_sont_ceux_que_le_generateur_ecrit() -> None:
    written = render()
    there = {f"{path.parent.name}/{path.name}" for folder in ("base", "keda") for path in (FOLDER / folder).iterdir()}
    assert there == set(written)
    for name, text in written.items():
        assert (FOLDER / name).read_text() == text, f"{name}: run python -m deploy.k8s"


def test_un_deploiement_par_processus_et_aucun_autre() -> None:
    assert {name for kind, name in BASE if kind == "Deployment"} == set(BY_NAME)


@each_process
def test_un_conteneur_a_l_image_la_commande_et_les_sondes(process: Process) -> None:
    (container,) = pod(process)["containers"]
    assert container["image"] == f"place-des-assos/{process.extra}"
    assert container["args"] == [process.kind]
    assert container["livenessProbe"]["httpGet"]["path"] == "/sante/vivant"
    assert container["readinessProbe"]["httpGet"]["path"] == "/sante/pret"
    assert {port["name"]: port["containerPort"] for port in container["ports"]} == {
        **({port_name(process): process.port} if process.port else {}),
        "sante": HEALTH_PORT,
    }
    probes = [container[f"{name}Probe"]["httpGet"]["port"] for name in ("startup", "liveness", "readiness")]
    assert probes == ["sante"] * 3
    assert container["resources"]["requests"].keys() == {"cpu", "memory"}


@each_process
def test_une_api_repond_tant_que_quelqu_un_lui_est_envoye(process: Process) -> None:
    (container,) = pod(process)["containers"]
    waits = int(container["lifecycle"]["preStop"]["exec"]["command"][1]) if process.kind == "api" else 0
    assert waits >= (5 if process.kind == "api" else 0)
    # uvicorn's 10 s for requests in hand, 10 s for the loops behind them; a worker's loops have 15 s.
    assert waits + 20 < pod(process)["terminationGracePeriodSeconds"]


@each_process
def test_un_conteneur_n_a_que_les_droits_qu_il_utilise(process: Process) -> None:
    assert pod(process)["securityContext"]["runAsNonRoot"] is True
    assert pod(process)["automountServiceAccountToken"] is False
    rights = pod(process)["containers"][0]["securityContext"]
    assert rights == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


@each_process
def test_un_conteneur_ne_nomme_que_ses_secrets(process: Process) -> None:
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


def test_aucun_secret_n_est_ecrit_ici() -> None:
    assert not [name for kind, name in BASE if kind == "Secret"]


@each_process
def test_les_api_grandissent_selon_le_processeur_et_s_appellent_par_leur_nom(process: Process) -> None:
    serves = process.kind != "worker"
    assert (("Service", process.name) in BASE) == serves
    assert (("HorizontalPodAutoscaler", process.name) in BASE) == serves
    assert ("PodDisruptionBudget", process.name) in BASE


def test_seules_la_porte_et_l_entree_du_courrier_sont_joignables_du_dehors() -> None:
    assert BASE["NetworkPolicy", "personne-sans-exception"]["spec"] == {"podSelector": {}, "policyTypes": ["Ingress"]}
    for process in PROCESSES:
        rules = BASE["NetworkPolicy", process.name]["spec"]["ingress"]
        for_all = [rule for rule in rules if "from" not in rule]
        assert for_all == ([{"ports": [{"port": "smtp"}]}] if process.kind == "entrant" else [])
        rules = [rule for rule in rules if "from" in rule]
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


def test_les_workers_grandissent_selon_leur_retard_et_pas_au_dela_des_partitions() -> None:
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


def test_l_exemple_nomme_chaque_image() -> None:
    example = yaml.safe_load((FOLDER / "exemple" / "kustomization.yaml").read_text())
    assert {image["name"] for image in example["images"]} == {f"place-des-assos/{p.extra}" for p in PROCESSES}
