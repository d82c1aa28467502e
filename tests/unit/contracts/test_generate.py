"""The generator writes what is compatible, and refuses to write over what is published with what breaks it."""

from pathlib import Path
from typing import ClassVar

import pytest

from contracts import generate
from contracts.base import Evenement
from contracts.topics import TOPICS


def event(fields: dict[str, object], topic: str = TOPICS[0].name) -> type[Evenement]:
    annotations = {"topic": ClassVar[str], **{name: type(value) for name, value in fields.items()}}
    return type("Essai", (Evenement,), {"__annotations__": annotations, "topic": topic, "__doc__": "A trial."})


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """A folder in which one event with a text and a number is published, with its golden example."""
    (tmp_path / "exemples").mkdir()
    (tmp_path / "exemples" / "Essai.v1.json").write_text('{"texte": "a", "nombre": 1}')
    generate.write([event({"texte": "", "nombre": 0})], tmp_path)
    return tmp_path


def test_what_is_published_is_accepted_again(published: Path) -> None:
    same = [event({"texte": "", "nombre": 0})]
    assert generate.refusals(same, published) == []
    assert generate.roll_out_notes(same, published) == []


def test_a_field_less_is_refused(published: Path) -> None:
    assert generate.refusals([event({"texte": ""})], published) == ["Essai.v1: nombre: removed"]


def test_a_new_required_field_is_refused(published: Path) -> None:
    more = event({"texte": "", "nombre": 0, "autre": 0})
    assert generate.refusals([more], published) == ["Essai.v1: autre: newly required"]


def test_a_wider_type_is_accepted_with_a_note_on_the_roll_out(published: Path) -> None:
    wider = event({"texte": "", "nombre": 0.5})
    assert generate.refusals([wider], published) == []
    assert generate.roll_out_notes([wider], published) == ["Essai.v1: nombre: number became integer"]


def test_an_event_on_another_topic_or_gone_is_refused(published: Path) -> None:
    fields: dict[str, object] = {"texte": "", "nombre": 0}
    moved = generate.refusals([event(fields, TOPICS[1].name)], published)
    assert moved == [f"Essai.v1: x-topic: {TOPICS[0].name!r} became {TOPICS[1].name!r}"]
    assert generate.refusals([], published) == ["Essai.v1: the event is gone, while its topic may still hold some"]


@pytest.mark.parametrize("content", ['{"texte": "b", "nombre": 1}', None])
def test_an_example_that_is_edited_or_removed_is_refused(published: Path, content: str | None) -> None:
    example = published / "exemples" / "Essai.v1.json"
    if content is None:
        example.unlink()
    else:
        example.write_text(content)
    said = generate.refusals([event({"texte": "", "nombre": 0})], published)
    assert said == ["exemples/Essai.v1.json: a golden example is never edited nor removed"]


def test_writing_again_keeps_the_fingerprints_of_known_examples(published: Path) -> None:
    before = generate.read_fingerprints(published)
    (published / "exemples" / "Autre.v1.json").write_text("{}")
    generate.write([event({"texte": "", "nombre": 0})], published)
    after = generate.read_fingerprints(published)
    assert after["Essai.v1.json"] == before["Essai.v1.json"]
    assert set(after) == {"Essai.v1.json", "Autre.v1.json"}


def test_the_command_says_what_is_up_to_date(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generate, "write", lambda: None)
    assert generate.main() == 0
    assert "up to date" in capsys.readouterr().out


def test_the_command_writes_nothing_when_something_breaks(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []
    monkeypatch.setattr(generate, "refusals", lambda: ["Essai.v1: nombre: removed"])
    monkeypatch.setattr(generate, "write", lambda: written.append("written"))
    assert generate.main() == 1
    assert written == []
    assert "nombre: removed" in capsys.readouterr().err
