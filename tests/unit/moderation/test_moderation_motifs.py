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


def test_une_approbation_ne_demande_ni_n_admet_de_motif() -> None:
    assert motiver(dossier(), Issue.APPROUVEE, []) == []
    assert champs(Issue.APPROUVEE, Motif(code="hors-objet")) == ["motifs"]


@pytest.mark.parametrize("issue", [Issue.A_CORRIGER, Issue.REFUSEE])
def test_toute_autre_decision_demande_un_motif(issue: Issue) -> None:
    assert champs(issue) == ["motifs"]


@pytest.mark.parametrize(("revue", "issue"), [(False, Issue.RETIREE), (True, Issue.REFUSEE), (True, Issue.A_CORRIGER)])
def test_ce_qui_est_publie_se_retire_et_le_reste_se_refuse(revue: bool, issue: Issue) -> None:
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
def test_un_motif_incomplet_nomme_le_champ(issue: Issue, motif: Motif, champ: str) -> None:
    assert champs(issue, motif) == [champ]


def test_un_motif_n_est_donne_qu_une_fois() -> None:
    assert champs(Issue.REFUSEE, Motif(code="hors-objet"), Motif(code="hors-objet")) == ["motifs.1.code"]


def test_un_passage_ne_differe_du_texte_que_par_espaces_et_guillemets() -> None:
    motif = Motif(**VALEURS | {"passage": " « porter  des\nmeubles »"})
    assert motiver(dossier(), Issue.REFUSEE, [motif])[0].engagement == 4


def test_l_auteur_lit_la_phrase_de_la_liste_puis_l_ajout_du_moderateur() -> None:
    phrase = references.motifs()["hors-objet"].explication
    [motif] = motiver(dossier(), Issue.REFUSEE, [Motif(code="hors-objet", explication="Il s’agit d’une vente.")])
    assert motif.explication == f"{phrase} Il s’agit d’une vente."


def test_la_ou_le_moderateur_explique_l_auteur_ne_lit_que_cela() -> None:
    [motif] = motiver(dossier(), Issue.REFUSEE, [Motif(code="autre", explication="Le lieu n’existe pas.")])
    assert motif.explication == "Le lieu n’existe pas."


@pytest.mark.parametrize("cible", list(TypeCible))
@pytest.mark.parametrize("revue", [True, False])
def test_seuls_les_motifs_qui_conviennent_sont_proposes(cible: TypeCible, revue: bool) -> None:
    assert all(cible in motif.cibles for motif in proposables(cible, revue=revue))


def test_un_retrait_vise_la_derniere_version_et_les_autres_decisions_celle_qui_a_ete_lue() -> None:
    versions = {}
    for issue, revue in ((Issue.RETIREE, True), (Issue.REFUSEE, False)):
        event = evenement(dossier(revue=revue, issue=issue, decision_id="x"), [], ["m"], MIDI, version_connue=5)
        assert event is not None
        versions[issue] = event.decision.cible_version
    assert versions == {Issue.RETIREE: 5, Issue.REFUSEE: 1}


def test_confirmer_ce_qui_est_publie_ne_previent_personne_mais_s_ecrit_au_journal() -> None:
    vu = dossier(revue=True, issue=Issue.APPROUVEE, decision_id="x")
    assert evenement(vu, [], ["m"], MIDI, version_connue=2) is None
    assert decision(dossier(), vu, [], par="alice", now=MIDI)["par"] == "alice"
