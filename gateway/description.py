"""What the door adds to every operation of the API: who somebody is, and how any request may end. Pure."""

from collections.abc import Iterator
from typing import Any

from kit.http.problems import MEDIA_TYPE
from kit.http.tokens import SESSION_SCHEME

COOKIE_SCHEME = "cookie"
_METHODS = ("get", "put", "post", "delete", "patch")

PROBLEME = {
    "title": "Probleme",
    "description": "RFC 9457. `erreurs` names the fields that are wrong.",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "erreurs": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["champ", "message"],
                "properties": {"champ": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}

_ANYWHERE = {
    "401": "La session a expiré, ou le jeton n’est pas connu.",
    "403": "La demande vient d’un autre site, ou le compte n’a pas ce droit.",
    "413": "L’envoi dépasse 256 Kio.",
    "422": "Données invalides : chaque champ est nommé.",
    "429": "Trop de demandes : `Retry-After` dit quand réessayer.",
    "503": "Un service ne répond pas : `Retry-After` dit quand réessayer.",
}
_ABSENT = {"404": "Ce que l’adresse nomme n’existe pas, ou le compte a été effacé."}
_CONFLICT = {"409": "L’état présent ne le permet pas."}
_VERSION = {"412": "Version dépassée.", "428": "Il manque If-Match, la version lue."}


def complete(document: dict[str, Any], cookie: str) -> dict[str, Any]:
    """`document` (changed and returned) with the security schemes, and with every refusal as a problem document.

    An operation that asks for a session says so in its own service; `cookie` names the session's cookie.
    """
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas["Probleme"] = PROBLEME
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    components["securitySchemes"] = {
        SESSION_SCHEME: {"type": "http", "scheme": "bearer", "description": "Le `jeton` de POST /v1/sessions."},
        COOKIE_SCHEME: {
            "type": "apiKey",
            "in": "cookie",
            "name": cookie,
            "description": "Le même, pour un navigateur.",
        },
    }
    for path, method, operation in _operations(document):
        if operation.get("security"):
            operation["security"] = [{SESSION_SCHEME: []}, {COOKIE_SCHEME: []}]
        known = operation.setdefault("responses", {})
        for status, description in _refusals(path, method, operation).items():
            known.setdefault(status, {"description": description})
        for status, response in known.items():
            if status[:1] in "45":
                response["content"] = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Probleme"}}}
                if response.get("description") == "Validation Error":
                    response["description"] = _ANYWHERE["422"]
    return document


def _refusals(path: str, method: str, operation: dict[str, Any]) -> dict[str, str]:
    """Status → what it means: the ways in which this operation may be refused."""
    found = dict(_ANYWHERE)
    if "{" in path or operation.get("security"):
        found |= _ABSENT
    if method != "get" and operation.get("security"):
        found |= _CONFLICT
    if any(parameter.get("name") == "If-Match" for parameter in operation.get("parameters", [])):
        found |= _VERSION
    return found


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(path, method, operation)."""
    for path, item in document.get("paths", {}).items():
        for method in _METHODS:
            if method in item:
                yield path, method, item[method]
