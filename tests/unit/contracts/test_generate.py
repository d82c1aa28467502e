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


def test_ce_qui_est_publie_est_accepte_de_nouveau(published: Path) -> None:
    same = [event({"texte": "", "nombre": 0})]
    assert generate.refusals(same, published) == []
    assert generate.roll_out_notes(same, published) == []


def test_un_champ_de_moins_est_refuse(published: Path) -> None:
    assert generate.refusals([event({"texte": ""})], published) == ["Essai.v1: nombre: removed"]


def test_un_nouveau_champ_exige_est_refuse(published: Path) -> None:
    more = event({"texte": "", "nombre": 0, "autre": 0})
    assert generate.refusals([more], published) == ["Essai.v1: autre: newly required"]


def test_un_type_plus_large_est_accepte_avec_une_note_de_deploiement(published: Path) -> None:
    wider = event({"texte": "", "nombre": 0.5})
    assert generate.refusals([wider], published) == []
    assert generate.roll_out_notes([wider], published) == ["Essai.v1: nombre: number became integer"]


def test_un_evenement_deplace_ou_disparu_est_refuse(published: Path) -> None:
    fields: dict[str, object] = {"texte": "", "nombre": 0}
    moved = generate.refusals([event(fields, TOPICS[1].name)], published)
    assert moved == [f"Essai.v1: x-topic: {TOPICS[0].name!r} became {TOPICS[1].name!r}"]
    assert generate.refusals([], published) == ["Essai.v1: the event is gone, while its topic may still hold some"]


@pytest.mark.parametrize("content", ['{"texte": "b", "nombre": 1}', None])
def test_un_exemple_modifie_ou_retire_est_refuse(published: Path, content: str | None) -> None:
    example = published / "exemples" / "Essai.v1.json"
    if content is None:
        example.unlink()
    else:
        example.write_text(content)
    said = generate.refusals([event({"texte": "", "nombre": 0})], published)
    assert said == ["exemples/Essai.v1.json: a golden example is never edited nor removed"]


def test_reecrire_garde_les_empreintes_des_exemples_connus(published: Path) -> None:
    before = generate.read_fingerprints(published)
    (published / "exemples" / "Autre.v1.json").write_text("{}")
    generate.write([event({"texte": "", "nombre": 0})], published)
    after = generate.read_fingerprints(published)
    assert after["Essai.v1.json"] == before["Essai.v1.json"]
    assert set(after) == {"Essai.v1.json", "Autre.v1.json"}


def test_la_commande_dit_ce_qui_est_a_jour(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generate, "write", lambda: None)
    assert generate.main() == 0
    assert "up to date" in capsys.readouterr().out


def test_la_commande_n_ecrit_rien_si_quelque_chose_casse(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []
    monkeypatch.setattr(generate, "refusals", lambda: ["Essai.v1: nombre: removed"])
    monkeypatch.setattr(generate, "write", lambda: written.append("written"))
    assert generate.main() == 1
    assert written == []
    assert "nombre: removed" in capsys.readouterr().err
