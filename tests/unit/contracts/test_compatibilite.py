"""Which changes of a schema are safe for events that are already written, and which are not."""

import copy
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

from contracts import generate
from contracts.compatibilite import breaking_changes, readers_first
from contracts.evenements import EVENEMENTS

Properties = dict[str, Any]
TEXT = {"type": "string"}
NULL = {"type": "null"}


def event(
    properties: Properties, required: tuple[str, ...] = (), definitions: Properties | None = None
) -> dict[str, Any]:
    shape = {"type": "object", "properties": properties, "required": list(required)}
    return {**shape, "$defs": definitions} if definitions else shape


def field(old: Any, new: Any) -> list[str]:
    return breaking_changes(event({"a": old}), event({"a": new}))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (TEXT, TEXT),
        (TEXT, {"anyOf": [TEXT, NULL]}),
        ({"type": "integer"}, {"type": "number"}),
        (TEXT, {**TEXT, "title": "A", "description": "said better"}),
        ({**TEXT, "maxLength": 10}, {**TEXT, "maxLength": 20}),
        ({**TEXT, "maxLength": 10}, TEXT),
        ({**TEXT, "minLength": 2}, {**TEXT, "minLength": 1}),
        ({"type": "integer", "minimum": 1}, {"type": "integer", "minimum": 0}),
        ({**TEXT, "pattern": "^a$"}, TEXT),
        ({**TEXT, "format": "date"}, TEXT),
        ({**TEXT, "enum": ["a"]}, {**TEXT, "enum": ["a", "b"]}),
        ({**TEXT, "enum": ["a"]}, TEXT),
        ({"const": "a"}, {"enum": ["a", "b"]}),
        ({"const": 3}, {"type": "integer"}),
        ({"type": "array", "items": TEXT}, {"type": "array"}),
        ({"type": "array", "items": {"type": "integer"}}, {"type": "array", "items": {"type": "number"}}),
        ({"type": ["string", "null"]}, {"anyOf": [NULL, TEXT]}),
        (TEXT, {}),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, {"type": "object"}),
        ({"type": "object", "additionalProperties": False}, {"type": "object", "additionalProperties": TEXT}),
    ],
)
def test_what_admits_as_much_is_safe(old: Properties, new: Properties) -> None:
    assert field(old, new) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (TEXT, {"type": "integer"}, "a: string became integer"),
        ({"type": "number"}, {"type": "integer"}, "a: number became integer"),
        ({"anyOf": [TEXT, NULL]}, TEXT, "a: null is not admitted"),
        ({"type": ["string", "null"]}, NULL, "a: string is not admitted"),
        ({}, TEXT, "a: anything became string"),
        ({**TEXT, "enum": ["a", "b"]}, {**TEXT, "enum": ["a"]}, "a: does not admit 'b'"),
        (TEXT, {**TEXT, "enum": ["a"]}, "a: any value became one of ['a']"),
        ({"const": "a", **TEXT}, {"const": "b", **TEXT}, "a: does not admit 'a'"),
        ({**TEXT, "maxLength": 20}, {**TEXT, "maxLength": 10}, "a: maxLength 20 became 10"),
        (TEXT, {**TEXT, "maxLength": 10}, "a: maxLength None became 10"),
        (TEXT, {**TEXT, "minLength": 1}, "a: minLength None became 1"),
        ({"type": "integer", "minimum": 0}, {"type": "integer", "minimum": 1}, "a: minimum 0 became 1"),
        ({"type": "number"}, {"type": "number", "exclusiveMaximum": 64}, "a: exclusiveMaximum None became 64"),
        (
            {"type": "array", "items": TEXT},
            {"type": "array", "items": TEXT, "maxItems": 9},
            "a: maxItems None became 9",
        ),
        (TEXT, {**TEXT, "pattern": "^a$"}, "a: pattern None became '^a$'"),
        ({**TEXT, "format": "date"}, {**TEXT, "format": "date-time"}, "a: format 'date' became 'date-time'"),
        ({"type": "array", "items": TEXT}, {"type": "array", "items": NULL}, "a[]: string became null"),
        ({"type": "array"}, {"type": "array", "items": TEXT}, "a[]: anything became string"),
        ({**TEXT, "default": "x"}, {**TEXT, "default": "y"}, "a: default 'x' became 'y'"),
        ({"type": "boolean", "default": 0}, {"type": "boolean", "default": False}, "a: default 0 became False"),
        (
            {"type": "object", "additionalProperties": {"type": "integer"}},
            {"type": "object", "additionalProperties": TEXT},
            "a{}: integer became string",
        ),
        ({"type": "object"}, {"type": "object", "additionalProperties": False}, "a: unknown fields are refused"),
        (TEXT, {**TEXT, "dependentRequired": {}}, "a: dependentRequired changed"),
    ],
)
def test_what_admits_less_is_breaking(old: Properties, new: Properties, said: str) -> None:
    assert said in field(old, new)


def test_a_field_removed_is_breaking_even_if_it_was_optional() -> None:
    assert breaking_changes(event({"a": TEXT, "b": TEXT}, ("a",)), event({"a": TEXT}, ("a",))) == ["b: removed"]


def test_a_field_renamed_is_a_field_removed_and_one_newly_required() -> None:
    found = breaking_changes(event({"a": TEXT}, ("a",)), event({"b": TEXT}, ("b",)))
    assert found == ["a: removed", "b: newly required"]


def test_a_new_field_may_be_optional_only() -> None:
    old = event({"a": TEXT}, ("a",))
    assert breaking_changes(old, event({"a": TEXT, "b": TEXT}, ("a",))) == []
    assert breaking_changes(old, event({"a": TEXT, "b": TEXT}, ("a", "b"))) == ["b: newly required"]


def test_an_optional_field_that_becomes_required_is_breaking() -> None:
    assert breaking_changes(event({"a": TEXT}), event({"a": TEXT}, ("a",))) == ["a: newly required"]


def test_another_topic_is_breaking() -> None:
    found = breaking_changes({**event({}), "x-topic": "a.b.v1"}, {**event({}), "x-topic": "a.c.v1"})
    assert found == ["x-topic: 'a.b.v1' became 'a.c.v1'"]


def test_changes_are_found_behind_references_wherever_they_are_used() -> None:
    def place(lat: Properties) -> dict[str, Any]:
        lieu = event({"lat": lat}, ("lat",))
        optional = {"anyOf": [{"$ref": "#/$defs/Lieu"}, NULL]}
        several = {"type": "array", "items": {"$ref": "#/$defs/Lieu"}}
        return event(
            {"un": {"$ref": "#/$defs/Lieu"}, "peut_etre": optional, "liste": several}, definitions={"Lieu": lieu}
        )

    found = breaking_changes(place({"type": "number"}), place({"type": "number", "maximum": 90}))
    assert any("lat: maximum None became 90" in change for change in found)
    assert breaking_changes(place({"type": "number"}), place({"type": "number"})) == []


def test_a_definition_may_be_renamed() -> None:
    old = event({"a": {"$ref": "#/$defs/A"}}, definitions={"A": event({"x": TEXT}, ("x",))})
    new = event({"a": {"$ref": "#/$defs/B"}}, definitions={"B": event({"x": TEXT}, ("x",))})
    assert breaking_changes(old, new) == []


def test_a_type_that_contains_itself_is_compared() -> None:
    def tree(leaf: Properties) -> dict[str, Any]:
        node = event({"leaf": leaf, "next": {"anyOf": [{"$ref": "#/$defs/Node"}, NULL]}})
        return {"$ref": "#/$defs/Node", "$defs": {"Node": node}}

    assert breaking_changes(tree(TEXT), tree(TEXT)) == []
    assert breaking_changes(tree(TEXT), tree(NULL)) == ["leaf: string became null"]


def test_a_change_in_one_of_two_shapes_is_not_hidden_by_the_other() -> None:
    def shapes(leaf: Properties) -> dict[str, Any]:
        definitions = {
            "Leaf": event({"x": leaf}, ("x",)),
            "A": event({"leaf": {"$ref": "#/$defs/Leaf"}}, ("leaf",)),
            "B": event({"leaf": {"$ref": "#/$defs/Leaf"}, "more": TEXT}, ("leaf", "more")),
        }
        union = {"anyOf": [{"$ref": "#/$defs/A"}, {"$ref": "#/$defs/B"}]}
        return event({"shape": union}, definitions=definitions)

    assert breaking_changes(shapes(TEXT), shapes(TEXT)) == []
    assert breaking_changes(shapes(TEXT), shapes({**TEXT, "maxLength": 3})) != []


class Before(BaseModel):
    canal: Literal["email"] = "email"
    nombre: int = Field(ge=1)


class After(BaseModel):
    canal: Literal["email", "sms"] = "email"
    nombre: int = Field(ge=0)
    note: str | None = None


def test_what_admits_more_is_safe_but_readers_come_first() -> None:
    old, new = Before.model_json_schema(), After.model_json_schema()
    assert breaking_changes(old, new) == []
    assert readers_first(old, new) == ["canal: does not admit 'sms'", "nombre: minimum 0 became 1"]


def test_an_added_optional_field_needs_no_order_of_deployment() -> None:
    old = event({"a": TEXT}, ("a",))
    assert readers_first(old, event({"a": TEXT, "b": TEXT}, ("a",))) == []


def test_a_required_field_that_gets_a_default_needs_no_order_either() -> None:
    assert readers_first(event({"a": TEXT}, ("a",)), event({"a": {**TEXT, "default": ""}})) == []


@pytest.mark.parametrize("kind", EVENEMENTS, ids=lambda kind: kind.type_name())
def test_every_event_is_compatible_with_itself_and_with_no_field_less(kind: Any) -> None:
    schema = generate.schema(kind)
    assert breaking_changes(schema, schema) == []
    assert readers_first(schema, schema) == []
    for name, definition in [("", schema), *schema.get("$defs", {}).items()]:
        for removed in definition.get("properties", {}):
            less = copy.deepcopy(schema)
            (less["$defs"][name] if name else less)["properties"].pop(removed)
            assert breaking_changes(schema, less), f"{name}.{removed}"
