"""Alerts and dashboard ask for metrics that exist; every alert has its page."""

import ast
import json
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import yaml

from deploy.layout import ROOT
from deploy.stack.processes import HEALTH_PORT, PROCESSES

FOLDER = ROOT / "deploy" / "observability"
RULES: list[dict[str, Any]] = [
    rule for group in yaml.safe_load((FOLDER / "alertes.yml").read_text())["groups"] for rule in group["rules"]
]
ALERTS = [rule for rule in RULES if "alert" in rule]
TESTS = sorted(FOLDER.glob("*.test.yml"))
CASES: list[dict[str, Any]] = [case for file in TESTS for case in yaml.safe_load(file.read_text())["tests"]]
PANELS: list[dict[str, Any]] = json.loads((FOLDER / "tableau.json").read_text())["panels"]
_SUFFIXES = {"Gauge": ("",), "Counter": ("",), "Histogram": ("_bucket", "_count", "_sum")}
# From Prometheus itself, or added by its configuration.
_LABELS = {"le", "job", "instance", "processus"}
_WORDS = {"abs", "absent", "scalar", "and", "by", "or", "on", "offset", "unless", "sum", "max", "min", "rate"}
_WORDS |= {"increase", "histogram_quantile"}


def declared() -> Iterator[tuple[str, str, set[str]]]:
    """(kind, name, labels) of every metric in the code."""
    for folder in ("kit", "gateway", "services"):
        for path in (ROOT / folder).rglob("*.py"):
            # Others count with collections.Counter.
            if "prometheus_client" not in (text := path.read_text()):
                continue
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _SUFFIXES:
                    name = ast.literal_eval(node.args[0])
                    labels = ast.literal_eval(node.args[2]) if len(node.args) > 2 else []
                    yield node.func.id, name, set(labels)


DECLARED = list(declared())
NAMES = {name + suffix for kind, name, _ in DECLARED for suffix in _SUFFIXES[kind]} | {"up"}
NAMES |= {rule["record"] for rule in RULES if "record" in rule}
LABELS = set().union(*(labels for _, _, labels in DECLARED)) | _LABELS


def expressions() -> Iterator[str]:
    yield from (rule["expr"] for rule in RULES)
    yield from (target["expr"] for panel in PANELS for target in panel.get("targets", []))


def test_les_expressions_nomment_des_mesures_et_des_etiquettes_qui_existent() -> None:
    for expression in expressions():
        bare = re.sub(r'"[^"]*"|\[\w+\]|offset \w+', " ", expression)
        for labels in re.findall(r"\bby \(([^)]*)\)", bare):
            assert set(re.findall(r"\w+", labels)) <= LABELS, expression
        for matchers in re.findall(r"{([^}]*)}", bare):
            assert set(re.findall(r"[a-z]\w*", matchers)) <= LABELS, expression
        bare = re.sub(r"\bby \([^)]*\)|{[^}]*}", " ", bare)
        assert set(re.findall(r"[a-z][\w:]*", bare)) - _WORDS <= NAMES, expression


def test_chaque_mesure_du_kit_est_regardee() -> None:
    """A number that nobody sees need not be counted."""
    text = " ".join(expressions())
    assert [name for _, name, _ in DECLARED if name not in text] == []


def test_chaque_alerte_part_pour_sa_raison_et_pour_aucune_autre() -> None:
    """promtool is in Debian's package « prometheus »."""
    command = ["promtool", "test", "rules", *(file.name for file in TESTS)]
    run = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    fire = {test["alertname"] for case in CASES for test in case["alert_rule_test"] if test["exp_alerts"]}
    assert fire == {rule["alert"] for rule in ALERTS}


def test_chaque_processus_disparu_est_signale() -> None:
    (absent,) = (rule["expr"] for rule in ALERTS if rule["alert"] == "ProcessusAbsent")
    assert re.findall(r'absent\(up{processus="([^"]+)"}\)', absent) == [process.name for process in PROCESSES]


def test_chaque_alerte_a_sa_page_et_chaque_page_son_alerte() -> None:
    pages = {path.relative_to(ROOT).as_posix(): path.read_text() for path in (ROOT / "docs/runbooks").glob("*.md")}
    named = {rule["annotations"]["runbook"]: rule["alert"] for rule in ALERTS}
    assert {page for page, text in pages.items() if "Alerte" in text} == set(named)
    for page, alert in named.items():
        assert f"`{alert}`" in pages[page]


def test_chaque_processus_est_mesure_la_ou_il_ecoute() -> None:
    jobs = yaml.safe_load((FOLDER / "prometheus.yml").read_text())["scrape_configs"]
    scraped = {(name, config["port"]) for job in jobs for config in job["dns_sd_configs"] for name in config["names"]}
    assert scraped == {(process.name, HEALTH_PORT) for process in PROCESSES}
