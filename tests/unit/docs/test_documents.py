"""What the documents name exists: links, files, verbs, topics, variables, pictures."""

import re
from pathlib import Path

import pytest
import typer.main

from contracts import topics
from contracts.evenements import CATALOGUE, EVENEMENTS
from deploy import cli
from deploy.layout import ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
DECISIONS = sorted((ROOT / "docs" / "adr").glob("*.md"))
PICTURE_MAX = 200_000

_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
# A path below one of the folders of the repository, perhaps with `*`.
_PATH = re.compile(r"^(?:contracts|kit|gateway|services|deploy|bench|tests|docs|requirements|\.ci)/[\w./*-]*$")
_VERB = re.compile(r"\./place +([a-z]+)(?: +([a-z]+))?")
_TOPIC = re.compile(r"\b(?:annonces|moderation|matching|notifications|gateway)\.[a-z]+\.v\d+\b")

each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


def prose(document: Path) -> str:
    return _FENCE.sub("", document.read_text(encoding="utf-8"))


def verbs() -> dict[str, set[str]]:
    """Verb → its own verbs (dlq list)."""
    group = typer.main.get_group(cli.app)
    return {name: set(getattr(command, "commands", {})) for name, command in group.commands.items()}


@each_document
def test_links_lead_somewhere(document: Path) -> None:
    missing = []
    for target in _LINK.findall(prose(document)):
        if "://" not in target and not (document.parent / target.partition("#")[0]).resolve().exists():
            missing.append(target)
    assert missing == []


@each_document
def test_paths_exist(document: Path) -> None:
    named = {code.split(":")[0].split(" ")[0] for code in _CODE.findall(prose(document))}
    paths = sorted(name for name in named if _PATH.match(name))
    assert [path for path in paths if not any(ROOT.glob(path.rstrip("/")))] == []


@each_document
def test_verbs_exist(document: Path) -> None:
    known = verbs()
    wrong = []
    for verb, second in _VERB.findall(document.read_text(encoding="utf-8")):
        if verb not in known or (known[verb] and second and second not in known[verb]):
            wrong.append(f"{verb} {second}".strip())
    assert wrong == []


@each_document
def test_les_topics_du_document_sont_ceux_de_la_table(document: Path) -> None:
    assert set(_TOPIC.findall(document.read_text(encoding="utf-8"))) <= set(topics.PAR_NOM)


@each_document
def test_rien_ne_nomme_la_machine_ou_c_est_ecrit(document: Path) -> None:
    assert re.findall(r"(?<![\w.])/(?:work|root|home|tmp|Users)/[\w.-]+", document.read_text(encoding="utf-8")) == []


def test_le_readme_a_chaque_verbe() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert {verb for verb in verbs() if f"./place {verb}" not in text} == set()


def test_le_readme_montre_les_evenements_sur_leurs_topics() -> None:
    drawn = re.findall(r"\[([a-z.0-9]+) : ([A-Z]\w+)\]", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert drawn
    assert [(topic, event) for topic, event in drawn if event not in CATALOGUE[topic]] == []


def test_les_evenements_que_le_guide_nomme_existent() -> None:
    named = re.findall(
        r"`((?:Annonce|Association|Compte|Correspondances|Decision|Envois|Profil|Reponse)[A-Z]\w+)`", guide()
    )
    assert named
    assert set(named) <= {event.type_name() for event in EVENEMENTS}


def guide() -> str:
    return (ROOT / "docs" / "guide.md").read_text(encoding="utf-8")


def test_les_fonctions_que_le_guide_nomme_existent() -> None:
    """Written as `path.py: name`; the path may begin below any folder."""
    named = re.findall(r"`([\w/]+\.py): (\w+)`", guide())
    assert named
    wrong = []
    for path, name in named:
        files = [*ROOT.glob(path), *ROOT.glob(f"*/**/{path}")]
        if not any(re.search(rf"\b(?:def|class) {name}\b", file.read_text(encoding="utf-8")) for file in files):
            wrong.append(f"{path}: {name}")
    assert wrong == []


def test_les_variables_de_l_exemple_ont_le_nom_que_lisent_les_processus() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    names = set(re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE))
    assert names
    read_somewhere = "".join(
        path.read_text(encoding="utf-8")
        for pattern in (
            "kit/settings.py",
            "gateway/settings.py",
            "services/*/settings.py",
            "deploy/**/*.py",
            "place",
            "*.yml",
        )
        for path in ROOT.glob(pattern)
    ).lower()
    assert {name for name in names if name.lower() not in read_somewhere} == set()


def test_les_images_sont_legeres_et_montrees() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for picture in (ROOT / "docs" / "images").iterdir():
        assert picture.stat().st_size < PICTURE_MAX
        assert f"docs/images/{picture.name}" in readme


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda path: path.stem)
def test_une_decision_a_son_numero_et_ses_quatre_parties(decision: Path) -> None:
    text = decision.read_text(encoding="utf-8")
    assert text.startswith(f"# {int(decision.stem[:4])}. ")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences", "Refused"]
    assert len(text.splitlines()) <= 60


def test_les_decisions_sont_numerotees_sans_trou() -> None:
    assert [int(path.stem[:4]) for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))


def test_la_fenetre_d_un_arret_brutal_est_dite_telle_quelle() -> None:
    from contracts.notifications import Canal
    from services.notifications.domain import BAIL, LOT_MAX, TENTATIVES_MAX, lots_par_connexion
    from services.notifications.settings import Reglages

    connections = Reglages.model_fields["connexions"].default
    record = (ROOT / "docs" / "adr" / "0011-claims-in-lots.md").read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"up to {LOT_MAX[Canal.EMAIL]} rows" in record
    assert f"lease of {BAIL.total_seconds():.0f} s" in record
    window = LOT_MAX[Canal.EMAIL] * lots_par_connexion(Canal.EMAIL) * connections
    assert f"{window} with the default of {connections} connections" in record
    assert f"as long as attempts last ({TENTATIVES_MAX})" in record
    assert f"lots de {LOT_MAX[Canal.EMAIL]} au plus" in readme
    assert f"au plus {window} envois" in readme


def test_la_licence_est_entiere() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert text.startswith("EUROPEAN UNION PUBLIC LICENCE v. 1.2")
    assert re.findall(r"^(\d+)\.", text, re.MULTILINE) == [str(n) for n in range(1, 16)]
    assert "Appendix" in text
