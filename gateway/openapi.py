"""One description of the public API, merged while running from those of the services and the gateway's own."""

import asyncio
import copy
import time
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from gateway.description import complete
from gateway.sessions import COOKIE
from gateway.upstream import VISITOR, ServiceAway, Services

_KEPT_S = 300.0
# With a service missing the document is soon tried again.
_KEPT_INCOMPLETE_S = 5.0
ABSENT = "x-services-absents"


def is_published(path: str, prefixes: Mapping[str, str], service: str) -> bool:
    """True for a path that the proxy hands to `service`."""
    return any(
        owner == service and (path == prefix or path.startswith(f"{prefix}/")) for prefix, owner in prefixes.items()
    )


def merge(
    own: Mapping[str, Any], others: Mapping[str, Mapping[str, Any] | None], prefixes: Mapping[str, str]
) -> dict[str, Any]:
    """`others`: service → its document, or None when it is away. Of schemas that share a name and differ, the later has
    the name of its service in front."""
    merged: dict[str, Any] = copy.deepcopy(dict(own))
    paths: dict[str, Any] = merged.setdefault("paths", {})
    schemas: dict[str, Any] = merged.setdefault("components", {}).setdefault("schemas", {})
    for service, document in others.items():
        if document is None:
            merged.setdefault(ABSENT, []).append(service)
            continue
        theirs = document.get("components", {}).get("schemas", {})
        renamed = {
            name: f"{service.capitalize()}{name}"
            for name, schema in theirs.items()
            if name in schemas and schemas[name] != schema
        }
        for name, schema in theirs.items():
            schemas[renamed.get(name, name)] = _with_names(schema, renamed)
        for path, item in document.get("paths", {}).items():
            if is_published(path, prefixes, service):
                paths[path] = _with_names(item, renamed)
    merged["paths"] = dict(sorted(paths.items()))
    return merged


def _with_names(part: Any, renamed: Mapping[str, str]) -> Any:
    if isinstance(part, dict):
        found = {key: _with_names(value, renamed) for key, value in part.items()}
        reference = found.get("$ref")
        if isinstance(reference, str):
            head, _, name = reference.rpartition("/")
            found["$ref"] = f"{head}/{renamed.get(name, name)}"
        return found
    if isinstance(part, list):
        return [_with_names(value, renamed) for value in part]
    return part


class Merged:
    """The merged document as bytes, kept for minutes."""

    def __init__(self, own: Callable[[], Mapping[str, Any]], services: Services, prefixes: Mapping[str, str]) -> None:
        self._own = own
        self._services = services
        self._prefixes = dict(prefixes)
        self._body = b""
        self._until = 0.0

    async def body(self) -> bytes:
        if time.monotonic() < self._until:
            return self._body
        names = sorted(set(self._prefixes.values()))
        documents = await asyncio.gather(*(self._document(name) for name in names))
        merged = complete(merge(self._own(), dict(zip(names, documents, strict=True)), self._prefixes), COOKIE)
        self._body = orjson.dumps(merged)
        self._until = time.monotonic() + (_KEPT_INCOMPLETE_S if ABSENT in merged else _KEPT_S)
        return self._body

    async def _document(self, service: str) -> Mapping[str, Any] | None:
        try:
            answer = await self._services.call(service, "GET", "/v1/openapi.json", VISITOR, timeout_s=3)
            return answer.json() if answer.status == 200 else None
        except ServiceAway:
            return None
