"""Which reasons a decision needs, and what must come with them."""

from typing import Any

import pytest

from contracts import references
from contracts.moderation import Issue, Motif, TypeCible
from services.moderation.journal import decision, evenement
from services.moderation.motifs import DecisionInvalide, motiver, proposables
from tests.unit.moderation.exemples import MIDI, dossier

VALEURS = {"code": "valeurs", "engagement": 4, "passage": "samedi » matin"}


def champs(issue: Issue, *motifs: Motif, **dossier_: Any) -> list[str]:
    with pytest.raises(DecisionInvalide) as refus:
        motiver(dossier(**dossier_), issue, motifs)
    return [champ for champ, _ in refus.value.erreurs]


def test_an_approval_needs_no_reason_and_takes_none() -> None:
    assert motiver(dossier(), Issue.APPROUVEE, []) == []
    assert champs(Issue.APPROUVEE, Motif(code="hors-objet")) == ["motifs"]


@pytest.mark.parametrize("issue", [Issue.A_CORRIGER, Issue.REFUSEE])
def test_everything_else_needs_a_reason(issue: Issue) -> None:
    assert champs(issue) == ["motifs"]


@pytest.mark.parametrize(("revue", "issue"), [(False, Issue.RETIREE), (True, Issue.REFUSEE), (True, Issue.A_CORRIGER)])
def test_what_is_published_is_withdrawn_and_what_is_not_is_refused(revue: bool, issue: Issue) -> None:
    assert champs(issue, Motif(code="hors-objet"), revue=revue) == ["issue"]


@pytest.mark.parametrize(
    ("issue", "motif", "champ"),
    [
        (Issue.REFUSEE, Motif(code="inconnu"), "motifs.0.code"),
        (Issue.A_CORRIGER, Motif(code="hors-objet"), "motifs.0.code"),
        (Issue.REFUSEE, Motif(code="organisation-non-conforme"), "motifs.0.code"),
        (Issue.REFUSEE, Motif(code="autre", explication="  "), "motifs.0.explication"),
        (Issue.REFUSEE, Motif(code="hors-objet", explication="x" * 2001), "motifs.0.explication"),
        (Issue.REFUSEE, Motif(code="hors-objet", passage="samedi"), "motifs.0.code"),
        (Issue.REFUSEE, Motif(**VALEURS | {"engagement": None}), "motifs.0.engagement"),
        (Issue.REFUSEE, Motif(**VALEURS | {"passage": " "}), "motifs.0.passage"),
        (Issue.REFUSEE, Motif(**VALEURS | {"passage": "ce que personne n’a écrit"}), "motifs.0.passage"),
    ],
)
def test_a_reason_that_lacks_something_names_the_field(issue: Issue, motif: Motif, champ: str) -> None:
    assert champs(issue, motif) == [champ]


def test_a_reason_is_given_once() -> None:
    assert champs(Issue.REFUSEE, Motif(code="hors-objet"), Motif(code="hors-objet")) == ["motifs.1.code"]


def test_a_passage_may_differ_from_the_text_by_white_space_and_quotes_only() -> None:
    motif = Motif(**VALEURS | {"passage": " « porter  des\nmeubles »"})
    assert motiver(dossier(), Issue.REFUSEE, [motif])[0].engagement == 4


def test_the_author_reads_the_sentence_of_the_list_then_what_the_moderator_added() -> None:
    phrase = references.motifs()["hors-objet"].explication
    [motif] = motiver(dossier(), Issue.REFUSEE, [Motif(code="hors-objet", explication="Il s’agit d’une vente.")])
    assert motif.explication == f"{phrase} Il s’agit d’une vente."


def test_where_the_moderator_must_explain_the_author_reads_just_that() -> None:
    [motif] = motiver(dossier(), Issue.REFUSEE, [Motif(code="autre", explication="Le lieu n’existe pas.")])
    assert motif.explication == "Le lieu n’existe pas."


@pytest.mark.parametrize("cible", list(TypeCible))
@pytest.mark.parametrize("revue", [True, False])
def test_only_reasons_that_fit_are_offered(cible: TypeCible, revue: bool) -> None:
    assert all(cible in motif.cibles for motif in proposables(cible, revue=revue))


def test_a_withdrawal_acts_on_the_latest_version_and_other_decisions_on_the_one_that_was_read() -> None:
    versions = {}
    for issue, revue in ((Issue.RETIREE, True), (Issue.REFUSEE, False)):
        event = evenement(dossier(revue=revue, issue=issue, decision_id="x"), [], ["m"], MIDI, version_connue=5)
        assert event is not None
        versions[issue] = event.decision.cible_version
    assert versions == {Issue.RETIREE: 5, Issue.REFUSEE: 1}


def test_to_confirm_what_is_published_tells_nobody_but_is_written_down() -> None:
    vu = dossier(revue=True, issue=Issue.APPROUVEE, decision_id="x")
    assert evenement(vu, [], ["m"], MIDI, version_connue=2) is None
    assert decision(dossier(), vu, [], par="alice", now=MIDI)["par"] == "alice"
