"""Generates the public description of the contracts: `python -m contracts.generate`.

- contracts/schemas/<Event>.<version>.json: the JSON Schema of each event, with its topic
- contracts/asyncapi.json: the AsyncAPI 3.0 document (channels, operations, messages)
- contracts/exemples/EMPREINTES: the SHA-256 of each golden example, so that none is edited

The schemas in the repository are those that have been published. The command refuses a change that breaks them: a
breaking change needs a new topic version (`<owner>.<noun>.v2`) with new classes. The old classes stay until no topic
holds their events.
"""

import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from contracts import asyncapi, compatibilite
from contracts.base import Evenement
from contracts.evenements import EVENEMENTS

RACINE = Path(__file__).parent
EMPREINTES = "EMPREINTES"


def file_name(event: type[Evenement]) -> str:
    """ "AnnoncePubliee.v1.json"; the version is that of the topic."""
    return f"{event.type_name()}.{event.topic.rpartition('.')[2]}.json"


def schema(event: type[Evenement]) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of an event, with the topic it is published on."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **event.model_json_schema(mode="validation"),
        "x-topic": event.topic,
    }


def to_text(document: object) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def fingerprint(example: Path) -> str:
    return hashlib.sha256(example.read_bytes()).hexdigest()


def read_fingerprints(root: Path = RACINE) -> dict[str, str]:
    """File name of each recorded golden example → its SHA-256."""
    path = root / "exemples" / EMPREINTES
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return {name: digest for digest, name in (line.split("  ") for line in lines)}


def generated(events: Sequence[type[Evenement]] = EVENEMENTS) -> dict[str, str]:
    """Path below contracts/ → content of the generated file."""
    files = {f"schemas/{file_name(event)}": to_text(schema(event)) for event in events}
    files["asyncapi.json"] = to_text(asyncapi.document(events, file_name))
    return files


def refusals(events: Sequence[type[Evenement]] = EVENEMENTS, root: Path = RACINE) -> list[str]:
    """The breaking changes between the schemas stored below `root` and those of `events`."""
    today = {file_name(event): schema(event) for event in events}
    found = []
    for path in sorted((root / "schemas").glob("*.json")):
        if path.name not in today:
            found.append(f"{path.stem}: the event is gone, while its topic may still hold some")
            continue
        recorded = json.loads(path.read_text(encoding="utf-8"))
        found += [f"{path.stem}: {change}" for change in compatibilite.breaking_changes(recorded, today[path.name])]
    for name, digest in read_fingerprints(root).items():
        example = root / "exemples" / name
        if not example.exists() or fingerprint(example) != digest:
            found.append(f"exemples/{name}: a golden example is never edited nor removed")
    return found


def roll_out_notes(events: Sequence[type[Evenement]] = EVENEMENTS, root: Path = RACINE) -> list[str]:
    """Changes that readers of the stored schemas would refuse: deploy readers before writers."""
    found = []
    for event in events:
        path = root / "schemas" / file_name(event)
        if path.exists():
            recorded = json.loads(path.read_text(encoding="utf-8"))
            found += [f"{path.stem}: {note}" for note in compatibilite.readers_first(recorded, schema(event))]
    return found


def write(events: Sequence[type[Evenement]] = EVENEMENTS, root: Path = RACINE) -> None:
    """Writes all files, and adds the fingerprints of new golden examples."""
    (root / "schemas").mkdir(exist_ok=True)
    for name, content in generated(events).items():
        (root / name).write_text(content, encoding="utf-8")
    examples = sorted((root / "exemples").glob("*.json"))
    known = read_fingerprints(root)
    lines = [f"{known.get(path.name) or fingerprint(path)}  {path.name}\n" for path in examples]
    (root / "exemples" / EMPREINTES).write_text("".join(lines), encoding="utf-8")


def main() -> int:
    broken = refusals()
    if broken:
        advice = "Nothing was written. Keep the change compatible, or make a new version of the topic."
        sys.stderr.write("\n".join(["These changes break what has been published:", *broken, advice]) + "\n")
        return 1
    notes = roll_out_notes()
    write()
    if notes:
        sys.stdout.write("\n".join(["Deploy readers before writers; yesterday's readers would find:", *notes]) + "\n")
    sys.stdout.write(f"{len(EVENEMENTS)} schemas and the AsyncAPI document are up to date.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
