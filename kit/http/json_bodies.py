"""Rejects JSON values that a database, an encoder or another service cannot store, before any route sees them."""

import math
from collections.abc import Iterator
from typing import Any

from fastapi import Request

from kit.http.problems import FieldProblem

DEPTH_MAX = 64
_INT_MAX = 2**63


def flaw(value: Any) -> tuple[str, str] | None:
    """Returns (path such as "auteur.noms.0", French sentence) for the first value that cannot be stored, or None."""
    waiting: list[tuple[Any, str, int]] = [(value, "", 1)]
    while waiting:
        found, path, depth = waiting.pop()
        message = _flaw(found, depth)
        if message:
            return path or "corps", message
        for name, child in _children(found):
            waiting.append((child, f"{path}.{name}" if path else name, depth + 1))
    return None


def _flaw(value: Any, depth: int) -> str | None:
    if depth > DEPTH_MAX:
        return f"Il y a plus de {DEPTH_MAX} niveaux les uns dans les autres."
    if isinstance(value, str) and not _is_text(value):
        return "Ce texte contient un caractère incomplet."
    if isinstance(value, dict) and not all(_is_text(name) and "\0" not in name for name in value):
        return "Le nom d’un champ contient un caractère interdit."
    if isinstance(value, int) and not -_INT_MAX <= value < _INT_MAX:
        return "Ce nombre est trop grand."
    if isinstance(value, float) and not math.isfinite(value):
        return "Un nombre fini est attendu."
    return None


def _is_text(text: str) -> bool:
    """False for text with an unpaired surrogate, which JSON can escape but UTF-8 cannot encode."""
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def _children(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from ((str(place), child) for place, child in enumerate(value))


async def storable_json(request: Request) -> None:
    """FastAPI dependency of every route. Raises a 422 problem that names the first field that cannot be stored."""
    # FastAPI keeps the parsed body here when the route takes one; it has already refused a body that is not JSON.
    found = flaw(getattr(request, "_json", None))
    if found:
        raise FieldProblem(*found)
