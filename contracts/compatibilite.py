"""Decides whether a new schema of an event may replace the previous one. Pure functions over JSON Schemas.

Topics keep events for weeks or for ever, so new readers read old events: that must always work (`breaking_changes`).
During a roll-out, old readers read new events too: that works if readers are deployed before writers (`readers_first`
says when this order matters).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Schema = Mapping[str, Any]

# Keyword → True if a smaller number allows less.
_BOUNDS = {
    "minimum": False,
    "exclusiveMinimum": False,
    "minLength": False,
    "minItems": False,
    "minProperties": False,
    "maximum": True,
    "exclusiveMaximum": True,
    "maxLength": True,
    "maxItems": True,
    "maxProperties": True,
}
# These keywords must be equal or absent: it cannot be computed whether one pattern accepts everything that another
# accepts.
_EXACT = ("pattern", "format", "multipleOf", "uniqueItems", "propertyNames", "prefixItems", "contains")
_STRUCTURE = {"type", "enum", "const", "anyOf", "oneOf", "allOf", "$ref", "$defs", "properties", "required", "items"}
_STRUCTURE |= {"additionalProperties"}
_ANNOTATIONS = {"title", "description", "default", "examples", "deprecated", "discriminator", "$schema", "$id"}
_KNOWN = _STRUCTURE | _ANNOTATIONS | set(_BOUNDS) | set(_EXACT)


def breaking_changes(old: Schema, new: Schema) -> list[str]:
    """What a reader of `new` would lose or refuse in an event written with `old`; empty when the change is safe.

    Breaking: a removed field; a newly required field; a type, enum or bound that accepts less; another constant,
    pattern, format or default; another `x-…` (topic, key). An added optional field is not breaking.
    """
    marks = [
        f"{name}: {old.get(name)!r} became {new.get(name)!r}"
        for name in sorted({*old, *new})
        if name.startswith("x-") and old.get(name) != new.get(name)
    ]
    return marks + _Comparison(old, new, removals=True).all()


def readers_first(old: Schema, new: Schema) -> list[str]:
    """What a reader that knows only `old` would refuse in an event written with `new`; if not empty, deploy readers
    first."""
    return _Comparison(new, old, removals=False).all()


@dataclass
class _Comparison:
    """Finds what a reader refuses in what a writer may write. `removals` also reports fields that the reader would
    ignore."""

    written_root: Schema
    read_root: Schema
    removals: bool
    # Pairs of schemas already compared, by identity, so that shared or recursive definitions are compared once. The
    # schemas are kept in the value because Python may reuse the id of a freed object.
    known: dict[tuple[int, int], tuple[Schema, Schema, list[str]]] = field(default_factory=dict)

    def all(self) -> list[str]:
        """All refusals, without duplicates."""
        return list(dict.fromkeys(self.refusals(self.written_root, self.read_root, "")))

    def refusals(self, written: Schema, read: Schema, path: str) -> Iterator[str]:
        theirs = list(_alternatives(written, self.written_root))
        ours = list(_alternatives(read, self.read_root))
        for alternative in theirs:
            found = [self._known_refusals(alternative, candidate, path) for candidate in ours]
            if not all(found):
                continue
            same_type = [f for f, c in zip(found, ours, strict=True) if _types(alternative) & _types(c)]
            if same_type:
                yield from min(same_type, key=len)
            elif len(theirs) == len(ours) == 1:
                yield f"{_at(path)}: {_name(alternative)} became {_name(ours[0])}"
            else:
                yield f"{_at(path)}: {_name(alternative)} is not admitted"

    def _known_refusals(self, written: Schema, read: Schema, path: str) -> list[str]:
        pair = (id(written), id(read))
        if pair not in self.known:
            # A pair counts as compatible while it is being compared, because a type may contain itself.
            self.known[pair] = (written, read, [])
            self.known[pair] = (written, read, list(self._refusals_of_one(written, read, path)))
        return self.known[pair][2]

    def _refusals_of_one(self, written: Schema, read: Schema, path: str) -> Iterator[str]:
        unknown = sorted(
            key for key in {*written, *read} - _KNOWN if not key.startswith("x-") and written.get(key) != read.get(key)
        )
        yield from (f"{_at(path)}: {key} changed" for key in unknown)
        if not _types(written) <= _types(read):
            yield f"{_at(path)}: {_name(written)} became {_name(read)}"
            return
        yield from _values(written, read, path)
        yield from _bounds(written, read, path)
        yield from self._properties(written, read, path)
        if "items" in read:
            yield from self.refusals(written.get("items", {}), read["items"], f"{path}[]")

    def _properties(self, written: Schema, read: Schema, path: str) -> Iterator[str]:
        theirs, ours = written.get("properties", {}), read.get("properties", {})
        for name in sorted(theirs.keys() - ours.keys()):
            if self.removals:
                yield f"{_at(path, name)}: removed"
            elif read.get("additionalProperties") is False:
                yield f"{_at(path, name)}: unknown fields are refused"
        for name in sorted(ours.keys() & theirs.keys()):
            yield from self.refusals(theirs[name], ours[name], _at(path, name))
            if self.removals and "default" in theirs[name] and "default" in ours[name]:
                before, after = theirs[name]["default"], ours[name]["default"]
                if before != after or type(before) is not type(after):
                    yield f"{_at(path, name)}: default {before!r} became {after!r}"
        guaranteed = set(written.get("required", [])) if self.removals else set(theirs)
        for name in sorted(set(read.get("required", [])) - guaranteed):
            yield f"{_at(path, name)}: newly required"
        yield from self._others(written, read, path)

    def _others(self, written: Schema, read: Schema, path: str) -> Iterator[str]:
        """Compares fields that no schema names: forbidden, or of a stated type (a dict)."""
        theirs, ours = written.get("additionalProperties", True), read.get("additionalProperties", True)
        if ours is True or theirs is False:
            return
        if ours is False:
            if self.removals:
                yield f"{_at(path)}: unknown fields are refused"
        else:
            yield from self.refusals({} if theirs is True else theirs, ours, f"{path}{{}}")


def _alternatives(schema: Schema, root: Schema) -> Iterator[Schema]:
    """Yields the alternatives of `schema`, with references resolved and nested unions flattened."""
    if "$ref" in schema:
        target: Any = root
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        beside = {key: value for key, value in schema.items() if key not in {"$ref", "$defs", *_ANNOTATIONS}}
        yield from _alternatives({**target, **beside} if beside else target, root)
        return
    for union in ("anyOf", "oneOf"):
        if union in schema:
            for option in schema[union]:
                yield from _alternatives(option, root)
            return
    if "allOf" in schema:
        merged: dict[str, Any] = {key: value for key, value in schema.items() if key != "allOf"}
        for part in schema["allOf"]:
            for option in _alternatives(part, root):
                merged.update(option)
        yield merged
        return
    if isinstance(schema.get("type"), list):
        for name in schema["type"]:
            yield {**schema, "type": name}
        return
    yield schema


_ALL_TYPES = frozenset({"string", "integer", "fraction", "boolean", "null", "object", "array"})
_TYPE_OF = {str: "string", bool: "boolean", int: "integer", float: "fraction", type(None): "null"}


def _types(schema: Schema) -> frozenset[str]:
    """The JSON types that `schema` accepts; a number is an integer or a fraction."""
    name = schema.get("type")
    if name == "number":
        return frozenset({"integer", "fraction"})
    if name is not None:
        return frozenset({name})
    values = _constants(schema)
    return _ALL_TYPES if values is None else frozenset(_TYPE_OF.get(type(v), "object") for v in values)


def _constants(schema: Schema) -> list[Any] | None:
    return [schema["const"]] if "const" in schema else schema.get("enum")


def _values(written: Schema, read: Schema, path: str) -> Iterator[str]:
    admitted, possible = _constants(read), _constants(written)
    if admitted is None:
        return
    if possible is None:
        yield f"{_at(path)}: any value became one of {admitted}"
        return
    gone = [value for value in possible if value not in admitted]
    if gone:
        yield f"{_at(path)}: does not admit {', '.join(map(repr, gone))}"


def _bounds(written: Schema, read: Schema, path: str) -> Iterator[str]:
    if _constants(written) is not None:
        return
    for key, smaller_is_tighter in _BOUNDS.items():
        if key not in read:
            continue
        before, after = written.get(key), read[key]
        if before is None or (after < before if smaller_is_tighter else after > before):
            yield f"{_at(path)}: {key} {before} became {after}"
    for key in _EXACT:
        if key in read and written.get(key) != read[key]:
            yield f"{_at(path)}: {key} {written.get(key)!r} became {read[key]!r}"


def _at(path: str, name: str = "") -> str:
    return ".".join(part for part in (path, name) if part) or "event"


def _name(schema: Schema) -> str:
    values = _constants(schema)
    return f"one of {values}" if values is not None else str(schema.get("type", "anything"))
