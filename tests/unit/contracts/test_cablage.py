"""The wiring: who writes, reads and handles what in code is what the table of topics says."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from contracts import topics
from contracts.base import Evenement
from contracts.evenements import CATALOGUE, EVENEMENTS
from contracts.topics import PAR_NOM, TOPICS
from deploy.stack.processes import SERVICES

ROOT = Path(__file__).parents[3]
PACKAGES = {"gateway": "gateway", **{service: f"services.{service}" for service in SERVICES}}
WORKERS = {service: importlib.import_module(f"services.{service}.worker") for service in SERVICES}
READERS = {**WORKERS, "gateway": importlib.import_module("gateway.app")}
HANDLERS: dict[str, dict[type[Evenement], Any]] = {
    service: importlib.import_module(f"services.{service}.handlers").HANDLERS for service in SERVICES
}
# Readers that have no use for a table of handlers, and why.
WITHOUT_TABLE = {
    # Only that something has changed matters to its cached pages: records are not decoded.
    ("gateway", "annonces.annonce.v1"): "gateway.handlers.Invalidation",
    ("gateway", "annonces.association.v1"): "gateway.handlers.Invalidation",
    ("gateway", "gateway.compte.v1"): "gateway.handlers.Invalidation",
    # The whole topic goes into the index of each worker, in no group.
    ("matching", "matching.profil.v1"): "services.matching.reader.Reader",
}


def tree(module: ModuleType) -> ast.Module:
    assert module.__file__ is not None
    return ast.parse(Path(module.__file__).read_text(encoding="utf-8"))


def value(node: ast.expr, module: ModuleType, assigned: dict[str, ast.expr]) -> Any:
    """What an expression of a wiring module stands for: names, attributes, and calls of the table of topics."""
    match node:
        case ast.Constant():
            return node.value
        case ast.Name(id=name) if name in assigned:
            return value(assigned[name], module, assigned)
        case ast.Name(id=name):
            return getattr(module, name)
        case ast.Attribute(value=owner, attr=attribute):
            return getattr(value(owner, module, assigned), attribute)
        case ast.Call(func=function, args=arguments):
            return value(function, module, assigned)(*(value(a, module, assigned) for a in arguments))
        case _:
            raise AssertionError(f"{module.__name__}:{node.lineno}: say which topics are read by topics.read_by(…)")


def names_read(argument: ast.expr, module: ModuleType, assigned: dict[str, ast.expr]) -> set[str]:
    """The names of topics in the argument of a consumer: `[topic.name for topic in …]`, or a constant of the module."""
    if isinstance(argument, ast.Name):
        return set(getattr(module, argument.id))
    assert isinstance(argument, ast.ListComp), f"{module.__name__}:{argument.lineno}: a list over topics.read_by(…)"
    found = value(argument.generators[0].iter, module, assigned)
    return {getattr(topic, "name", topic) for topic in found}


def consumed(module: ModuleType) -> Iterator[set[str]]:
    """For each consumer that the module makes, the topics that it reads, directly or by their retry topics."""
    whole = tree(module)
    assigned = {
        node.targets[0].id: node.value
        for node in ast.walk(whole)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    for node in ast.walk(whole):
        match node:
            case ast.Call(func=ast.Attribute(attr="consumers"), args=[first, *_]):
                yield names_read(first, module, assigned)
            case ast.Call(func=ast.Name(id="Consumer"), args=[_, _, third, *_]):
                yield names_read(third, module, assigned)


def declared(service: str) -> set[str]:
    return {topic.name for topic in topics.read_by(service)}


@pytest.mark.parametrize("service", ["annonces", "moderation", "notifications", "gateway"])
def test_un_service_lit_ce_que_dit_la_table(service: str) -> None:
    found = list(consumed(READERS[service]))
    assert found
    assert all(names == declared(service) for names in found), found


def test_matching_lit_ce_que_dit_la_table() -> None:
    """What its handlers read, in a group, and the profils whole, in no group."""
    worker, reader = (importlib.import_module(f"services.matching.{name}") for name in ("worker", "reader"))
    assert {*worker.TOPICS, reader.TOPIC} == declared("matching")
    assert list(consumed(WORKERS["matching"])) == [set(worker.TOPICS)]


@pytest.mark.parametrize("service", sorted(HANDLERS))
def test_un_handler_traite_des_evenements_que_son_service_lit(service: str) -> None:
    unread = [event.__name__ for event in HANDLERS[service] if event.topic not in declared(service)]
    assert unread == []


@pytest.mark.parametrize("service", sorted(HANDLERS))
def test_un_handler_traite_des_evenements_du_catalogue(service: str) -> None:
    assert set(HANDLERS[service]) <= set(EVENEMENTS)


@pytest.mark.parametrize(("service", "topic"), [(r, t.name) for t in TOPICS for r in t.readers])
def test_un_lecteur_a_l_usage_de_chaque_topic_qu_il_lit(service: str, topic: str) -> None:
    if (service, topic) in WITHOUT_TABLE:
        module, _, name = WITHOUT_TABLE[service, topic].rpartition(".")
        assert hasattr(importlib.import_module(module), name)
    else:
        assert any(event.topic == topic for event in HANDLERS[service]), f"{service} handles nothing of {topic}"


@pytest.mark.parametrize("service", sorted(HANDLERS))
def test_chaque_handler_porte_le_nom_du_fait_et_figure_dans_la_table(service: str) -> None:
    module = importlib.import_module(f"services.{service}.handlers")
    defined = {
        node.name
        for node in tree(module).body
        if isinstance(node, ast.AsyncFunctionDef) and node.name.startswith("on_")
    }
    assert {handler.__name__ for handler in HANDLERS[service].values()} == defined


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_aucun_topic_n_est_orphelin(topic: topics.Topic) -> None:
    assert topic.owner in PACKAGES
    assert topic.name.split(".")[0] == topic.owner
    assert topic.readers
    assert set(topic.readers) <= set(PACKAGES)
    assert CATALOGUE[topic.name]


def test_chaque_evenement_voyage_sur_un_topic_de_la_table() -> None:
    assert {event.topic for event in EVENEMENTS} == set(PAR_NOM)


def made_by(package: str) -> set[str]:
    """Names and attributes that a package uses as values: not in imports, annotations or its table of handlers."""
    found: set[str] = set()
    for path in (ROOT / package.replace(".", "/")).rglob("*.py"):
        found |= _values(ast.parse(path.read_text(encoding="utf-8")))
    return found


def _values(node: ast.AST) -> set[str]:
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return set()
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == "HANDLERS":
        return set()
    found: set[str] = set()
    for name, child in ast.iter_fields(node):
        if name in ("annotation", "returns"):
            continue
        for item in child if isinstance(child, list) else [child]:
            if isinstance(item, ast.AST):
                found |= _values(item)
    if isinstance(node, ast.Name):
        found.add(node.id)
    if isinstance(node, ast.Attribute):
        found.add(node.attr)
    return found


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_le_proprietaire_fait_chaque_evenement_de_ses_topics(topic: topics.Topic) -> None:
    assert set(CATALOGUE[topic.name]) - made_by(PACKAGES[topic.owner]) == set()


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_personne_d_autre_ne_fait_ses_evenements(topic: topics.Topic) -> None:
    emitters = {
        service: set(CATALOGUE[topic.name]) & emitted(package)
        for service, package in PACKAGES.items()
        if service != topic.owner
    }
    assert {service: names for service, names in emitters.items() if names} == {}


def emitted(package: str) -> set[str]:
    """The classes that a package instantiates."""
    found: set[str] = set()
    for path in (ROOT / package.replace(".", "/")).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id=name)) | ast.Call(func=ast.Attribute(attr=name)):
                    found.add(name)
    return found


def sources() -> Iterator[Path]:
    for folder in ("gateway", "services", "kit", "deploy", "bench", "tests"):
        for suffix in ("py", "html", "yml", "yaml", "json", "toml"):
            yield from (ROOT / folder).rglob(f"*.{suffix}")
    yield from (path for name in ("docker-compose.yml", "Dockerfile", "place") if (path := ROOT / name).exists())


def may_name_topics(path: Path) -> bool:
    """These tests; and what the autoscaler is told, which is generated from the table."""
    folders = path.relative_to(ROOT).parents
    return Path("tests/unit/contracts") in folders or Path("deploy/k8s/keda") in folders


def test_un_topic_est_nomme_dans_les_contrats_et_nulle_part_ailleurs() -> None:
    """Comments and docstrings may name one; data and code take it from the class of an event."""
    found = []
    for path in sources():
        if may_name_topics(path):
            continue
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".py":
            text = "\n".join(strings_in_code(text))
        found += [f"{path.relative_to(ROOT)}: {name}" for name in PAR_NOM if name in text]
    assert found == []


def strings_in_code(text: str) -> Iterator[str]:
    whole = ast.parse(text)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(whole)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(whole):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


def test_les_documents_ne_nomment_que_des_topics_qui_existent() -> None:
    owners = "|".join(PACKAGES)
    named = re.compile(rf"\b(?:{owners})\.[a-z]+\.v[0-9]+")
    documents = [*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")]
    found = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in documents
        for name in named.findall(path.read_text(encoding="utf-8"))
        if name not in PAR_NOM
    }
    assert found == set()


def test_un_topic_dit_son_proprietaire_son_nom_et_sa_version() -> None:
    assert [name for name in PAR_NOM if not re.fullmatch(r"[a-z]+\.[a-z]+\.v[0-9]+", name)] == []
