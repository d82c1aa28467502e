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
def test_ce_qui_admet_autant_est_sans_danger(old: Properties, new: Properties) -> None:
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
def test_ce_qui_admet_moins_casse_les_lecteurs(old: Properties, new: Properties, said: str) -> None:
    assert said in field(old, new)


def test_un_champ_retire_casse_meme_s_il_etait_facultatif() -> None:
    assert breaking_changes(event({"a": TEXT, "b": TEXT}, ("a",)), event({"a": TEXT}, ("a",))) == ["b: removed"]


def test_un_champ_renomme_est_un_champ_retire_et_un_autre_exige() -> None:
    found = breaking_changes(event({"a": TEXT}, ("a",)), event({"b": TEXT}, ("b",)))
    assert found == ["a: removed", "b: newly required"]


def test_un_nouveau_champ_ne_peut_etre_que_facultatif() -> None:
    old = event({"a": TEXT}, ("a",))
    assert breaking_changes(old, event({"a": TEXT, "b": TEXT}, ("a",))) == []
    assert breaking_changes(old, event({"a": TEXT, "b": TEXT}, ("a", "b"))) == ["b: newly required"]


def test_un_champ_facultatif_qui_devient_exige_casse_les_lecteurs() -> None:
    assert breaking_changes(event({"a": TEXT}), event({"a": TEXT}, ("a",))) == ["a: newly required"]


def test_un_autre_topic_casse_les_lecteurs() -> None:
    found = breaking_changes({**event({}), "x-topic": "a.b.v1"}, {**event({}), "x-topic": "a.c.v1"})
    assert found == ["x-topic: 'a.b.v1' became 'a.c.v1'"]


def test_un_changement_se_trouve_derriere_les_references() -> None:
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


def test_une_definition_peut_changer_de_nom() -> None:
    old = event({"a": {"$ref": "#/$defs/A"}}, definitions={"A": event({"x": TEXT}, ("x",))})
    new = event({"a": {"$ref": "#/$defs/B"}}, definitions={"B": event({"x": TEXT}, ("x",))})
    assert breaking_changes(old, new) == []


def test_un_type_qui_se_contient_est_compare() -> None:
    def tree(leaf: Properties) -> dict[str, Any]:
        node = event({"leaf": leaf, "next": {"anyOf": [{"$ref": "#/$defs/Node"}, NULL]}})
        return {"$ref": "#/$defs/Node", "$defs": {"Node": node}}

    assert breaking_changes(tree(TEXT), tree(TEXT)) == []
    assert breaking_changes(tree(TEXT), tree(NULL)) == ["leaf: string became null"]


def test_un_changement_dans_une_forme_n_est_pas_cache_par_l_autre() -> None:
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


def test_ce_qui_admet_plus_est_sans_danger_si_les_lecteurs_passent_d_abord() -> None:
    old, new = Before.model_json_schema(), After.model_json_schema()
    assert breaking_changes(old, new) == []
    assert readers_first(old, new) == ["canal: does not admit 'sms'", "nombre: minimum 0 became 1"]


def test_un_champ_facultatif_ajoute_ne_demande_aucun_ordre_de_deploiement() -> None:
    old = event({"a": TEXT}, ("a",))
    assert readers_first(old, event({"a": TEXT, "b": TEXT}, ("a",))) == []


def test_un_champ_exige_qui_recoit_un_defaut_ne_demande_aucun_ordre() -> None:
    assert readers_first(event({"a": TEXT}, ("a",)), event({"a": {**TEXT, "default": ""}})) == []


@pytest.mark.parametrize("kind", EVENEMENTS, ids=lambda kind: kind.type_name())
def test_chaque_evenement_est_compatible_avec_lui_meme_et_avec_aucun_champ_de_moins(kind: Any) -> None:
    schema = generate.schema(kind)
    assert breaking_changes(schema, schema) == []
    assert readers_first(schema, schema) == []
    for name, definition in [("", schema), *schema.get("$defs", {}).items()]:
        for removed in definition.get("properties", {}):
            less = copy.deepcopy(schema)
            (less["$defs"][name] if name else less)["properties"].pop(removed)
            assert breaking_changes(schema, less), f"{name}.{removed}"
