"""The generated files agree with the code, and the code with what has been published."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from contracts import generate, topics
from contracts.evenements import CATALOGUE, EVENEMENTS

OFFICIAL = Path(__file__).parent / "asyncapi" / "asyncapi-3.0.0.schema.json"


def test_rien_ne_casse_ce_qui_a_ete_publie() -> None:
    assert generate.refusals() == []


@pytest.mark.parametrize("name", sorted(generate.generated()))
def test_le_fichier_genere_est_a_jour(name: str) -> None:
    path = generate.RACINE / name
    assert path.exists(), "run: python -m contracts.generate"
    assert path.read_text(encoding="utf-8") == generate.generated()[name], "run: python -m contracts.generate"


def test_chaque_schema_est_celui_d_un_evenement_qui_existe() -> None:
    written = {path.name for path in (generate.RACINE / "schemas").glob("*.json")}
    assert written == {generate.file_name(event) for event in EVENEMENTS}


def test_un_type_d_evenement_n_est_declare_qu_une_fois() -> None:
    assert len({event.type_name() for event in EVENEMENTS}) == len(EVENEMENTS)


def test_chaque_evenement_dit_ce_qu_il_signifie() -> None:
    assert [event.type_name() for event in EVENEMENTS if not (event.__dict__.get("__doc__") or "").strip()] == []


def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((generate.RACINE / "asyncapi.json").read_text(encoding="utf-8"))
    return found


def test_le_document_est_un_asyncapi_valide() -> None:
    validator = jsonschema.Draft7Validator(json.loads(OFFICIAL.read_text(encoding="utf-8")))
    assert [(list(e.absolute_path), e.message) for e in validator.iter_errors(document())] == []


def test_le_schema_officiel_refuserait_un_document_faux() -> None:
    validator = jsonschema.Draft7Validator(json.loads(OFFICIAL.read_text(encoding="utf-8")))
    wrong = document()
    next(iter(wrong["operations"].values()))["action"] = "publish"
    assert not validator.is_valid(wrong)


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_chaque_reference_du_document_mene_quelque_part() -> None:
    whole = document()
    found = set(references(whole))
    assert len(found) > len(EVENEMENTS)
    for reference in found:
        file, _, pointer = reference.partition("#")
        if file:
            assert (generate.RACINE / file).is_file(), reference
            continue
        target = whole
        for part in pointer.strip("/").split("/"):
            assert part in target, reference
            target = target[part]


def test_le_document_dit_la_table_des_topics() -> None:
    whole = document()
    assert set(whole["channels"]) == set(topics.PAR_NOM)
    for name, topic in topics.PAR_NOM.items():
        kafka = whole["channels"][name]["bindings"]["kafka"]
        assert kafka["partitions"] == topic.partitions
        assert ",".join(kafka["topicConfiguration"]["cleanup.policy"]) == topic.cleanup_policy
        assert kafka["topicConfiguration"].get("retention.ms") == topic.retention_ms
        assert set(whole["channels"][name]["messages"]) == set(CATALOGUE[name])
    sends = {key for key, operation in whole["operations"].items() if operation["action"] == "send"}
    assert sends == {f"{topic.owner}.emet.{topic.name}" for topic in topics.TOPICS}
    receives = set(whole["operations"]) - sends
    assert receives == {f"{reader}.lit.{topic.name}" for topic in topics.TOPICS for reader in topic.readers}
