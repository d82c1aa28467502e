"""The description of the whole API, merged from the real apps: sessions, refusals, parameters."""

import importlib
import json
from typing import Any

import pytest

from gateway import app as gateway_app
from gateway.description import complete
from gateway.openapi import merge
from gateway.proxy import ROUTES
from gateway.sessions import COOKIE
from gateway.settings import Reglages

_OPEN = {
    ("get", "/v1/annonces"),
    ("get", "/v1/annonces/{annonce_id}"),
    ("get", "/v1/associations/{association_id}"),
    ("get", "/v1/references"),
    ("get", "/v1/push/cle"),
    ("post", "/v1/comptes/code"),
    ("post", "/v1/sessions"),
    ("get", "/v1/desabonnements/{jeton}"),
    ("post", "/v1/desabonnements/{jeton}"),
    ("get", "/v1/reponses-par-lien/{jeton}"),
    ("post", "/v1/reponses-par-lien/{jeton}"),
}
"""What a visitor may do, or the holder of a signed link; everything else asks for a session."""


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    others = {}
    for service in ("annonces", "moderation", "matching", "notifications"):
        module = importlib.import_module(f"services.{service}.app")
        settings = importlib.import_module(f"services.{service}.settings").Reglages()
        others[service] = module.create(settings).openapi()
    return complete(merge(gateway_app.create(Reglages()).openapi(), others, ROUTES), COOKIE)


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(method, path, found) for path, item in document["paths"].items() for method, found in item.items()]


def test_tout_demande_une_session_sauf_ce_qui_est_public(document: dict[str, Any]) -> None:
    assert {(method, path) for method, path, found in operations(document) if not found.get("security")} == _OPEN
    assert set(document["components"]["securitySchemes"]) == {"session", "cookie"}
    assert document["components"]["securitySchemes"]["cookie"]["name"] == COOKIE


def test_chaque_reussite_dit_ce_qu_elle_repond(document: dict[str, Any]) -> None:
    """A program can be generated from it, and each answer compared with it."""
    for method, path, found in operations(document):
        reussites = {status: answer for status, answer in found["responses"].items() if status[0] == "2"}
        assert reussites, (method, path)
        for status, answer in reussites.items():
            formes = [content.get("schema") for content in answer.get("content", {}).values()]
            assert (status == "204") == (formes == []), (method, path, status)
            assert all(formes), (method, path, status)


def test_chaque_refus_est_un_document_de_probleme(document: dict[str, Any]) -> None:
    for method, path, found in operations(document):
        refusals = {status for status in found["responses"] if status[0] in "45"}
        assert refusals >= {"401", "403", "413", "422", "429", "503"}, (method, path)
        for status in refusals:
            assert list(found["responses"][status]["content"]) == ["application/problem+json"], (method, path, status)
            assert found["responses"][status]["description"]
    assert {"412", "428"} <= set(document["paths"]["/v1/mes/preferences"]["put"]["responses"])


def test_chaque_renvoi_mene_quelque_part(document: dict[str, Any]) -> None:
    def references(part: Any) -> set[str]:
        if isinstance(part, dict):
            own = {part["$ref"]} if isinstance(part.get("$ref"), str) else set()
            return own.union(*(references(value) for value in part.values()))
        return set().union(*(references(value) for value in part)) if isinstance(part, list) else set()

    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert references(document) <= known
    assert "HTTPValidationError" not in json.dumps(document)


def test_un_parametre_de_recherche_peut_etre_vide(document: dict[str, Any]) -> None:
    for parameter in document["paths"]["/v1/annonces"]["get"]["parameters"]:
        if parameter["in"] == "query":
            assert {"type": "string", "maxLength": 0} in parameter["schema"]["anyOf"], parameter["name"]
