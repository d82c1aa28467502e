"""The golden examples: what was once written can be read today, whole."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from contracts import generate, references
from contracts.base import Evenement
from contracts.evenements import EVENEMENTS
from contracts.topics import PAR_NOM

EXEMPLES = generate.RACINE / "exemples"
par_evenement = pytest.mark.parametrize("event", EVENEMENTS, ids=lambda event: event.type_name())


def example(event: type[Evenement]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((EXEMPLES / generate.file_name(event)).read_text(encoding="utf-8"))
    return found


def further(event: type[Evenement]) -> list[dict[str, Any]]:
    """`<Event>.v1.<what>.json`: an example is never edited, so a field that came later has one of its own."""
    paths = EXEMPLES.glob(f"{Path(generate.file_name(event)).stem}.*.json")
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(paths)]


def lost(written: Any, read: Any, path: str = "") -> Iterator[str]:
    """Where `read` says something else than `written`, or nothing."""
    if isinstance(written, dict) and isinstance(read, dict):
        for name, value in written.items():
            if name in read:
                yield from lost(value, read[name], f"{path}.{name}")
            else:
                yield f"{path}.{name}"
    elif isinstance(written, list) and isinstance(read, list) and len(written) == len(read):
        for index, (one, other) in enumerate(zip(written, read, strict=True)):
            yield from lost(one, other, f"{path}[{index}]")
    elif written != read:
        yield path


def leaves(node: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """(path, value) of everything that is neither an object nor a list; items of a list share its path."""
    if isinstance(node, dict):
        for name, value in node.items():
            yield from leaves(value, f"{path}.{name}")
    elif isinstance(node, list):
        for item in node:
            yield from leaves(item, path)
    else:
        yield path, node


def normal(node: Any) -> Any:
    """Instants in the one spelling that pydantic writes: without a zero fraction."""
    if isinstance(node, dict):
        return {name: normal(value) for name, value in node.items()}
    if isinstance(node, list):
        return [normal(value) for value in node]
    if isinstance(node, str) and node.endswith("Z") and "T" in node and "." in node:
        return f"{node[:-1].rstrip('0').rstrip('.')}Z"
    return node


def test_chaque_evenement_a_un_exemple_et_chaque_exemple_un_evenement() -> None:
    first = {generate.file_name(event) for event in EVENEMENTS}
    found = {path.name for path in EXEMPLES.glob("*.json")}
    assert first <= found
    assert {".".join(name.split(".")[:2]) + ".json" for name in found} == first


def test_no_example_was_edited() -> None:
    recorded = {path.name: generate.fingerprint(path) for path in EXEMPLES.glob("*.json")}
    assert generate.read_fingerprints() == recorded, "new examples are recorded by: python -m contracts.generate"


@par_evenement
def test_ce_qui_a_ete_ecrit_se_lit_en_entier(event: type[Evenement]) -> None:
    for written in [example(event), *further(event)]:
        read = json.loads(event.model_validate(written).model_dump_json())
        assert list(lost(normal(written), normal(read))) == []


@par_evenement
def test_l_exemple_suit_le_schema(event: type[Evenement]) -> None:
    schema = generate.schema(event)
    jsonschema.Draft202012Validator.check_schema(schema)
    for written in [example(event), *further(event)]:
        jsonschema.Draft202012Validator(schema).validate(written)


@par_evenement
def test_la_cle_est_le_champ_que_la_table_nomme(event: type[Evenement]) -> None:
    values = {path.split(".")[-1]: str(node) for path, node in leaves(example(event))}
    named = [re.sub(r"\w+", lambda m: values.get(m[0], ""), one) for one in PAR_NOM[event.topic].key.split(" | ")]
    assert event.model_validate(example(event)).key in named


def test_les_exemples_ensemble_remplissent_chaque_champ() -> None:
    """A field that no example fills is a field whose meaning no test would see change."""
    filled: dict[str, set[str]] = {}
    declared: dict[str, set[str]] = {}
    for event in EVENEMENTS:
        for written in [example(event), *further(event)]:
            values = {path.strip(".") for path, value in leaves(written) if value not in (None, "")}
            filled.setdefault(event.topic, set()).update(values)
            everything = json.loads(event.model_validate(written).model_dump_json())
            declared.setdefault(event.topic, set()).update(path.strip(".") for path, _ in leaves(everything))
    for topic, paths in declared.items():
        # A value that is null in one example and an object in another is filled where its fields are.
        objects = {".".join(path.split(".")[:end]) for path in filled[topic] for end in range(1, path.count(".") + 1)}
        assert paths - filled[topic] - objects == set(), topic


def test_les_codes_des_exemples_existent() -> None:
    lists: dict[str, Any] = {
        "domaines": references.valeurs("domaines"),
        "categories": references.categories(),
        "publics": references.valeurs("publics"),
        "creneaux": references.valeurs("creneaux"),
        "certifications": references.valeurs("certifications"),
        "quartier": references.quartiers(),
    }
    for event in EVENEMENTS:
        for path, value in leaves(example(event)):
            known = lists.get(path.split(".")[-1])
            assert known is None or value is None or value in known, f"{event.type_name()}{path}: {value}"


def test_aucun_exemple_ne_porte_l_adresse_ou_le_numero_de_quelqu_un() -> None:
    for path in EXEMPLES.glob("*.json"):
        text = path.read_text(encoding="utf-8")
        assert "@" not in text
        assert "+33" not in text
