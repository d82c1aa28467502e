"""The life of an association: every decision in every state, corrections, members who leave."""

from itertools import product

import pytest

from contracts import annonces as evenements
from contracts.annonces import EtatAssociation
from contracts.commun import Lieu
from contracts.moderation import Issue, TypeCible
from services.annonces import associations
from services.annonces.associations import AssociationRefuseeDefinitivement, FicheAssociation, Presentation
from services.annonces.domain import VersionDepassee, VersionInconnue
from tests.unit.annonces.fabrique import NOW, decision

PRESENTATION = Presentation(
    nom="Les Jardins",
    rna="W595001234",
    siren=None,
    description="Nous cultivons un jardin partagé.",
    domaines=[],
    lieu=Lieu(quartier="fives", lat=50.63, lon=3.09),
)
E = EtatAssociation


def _fiche(etat: EtatAssociation, version: int = 5, version_inscrite: int = 5) -> FicheAssociation:
    change = associations.inscrire("a1", PRESENTATION, compte_id="c1", version_engagement="v1", now=NOW)
    return FicheAssociation(
        change.fiche.association.model_copy(update={"etat": etat, "version": version}), version_inscrite
    )


# (state, issue) → (state, whether others are told); absent: stale.
ATTENDU = {
    (E.INSCRITE, Issue.APPROUVEE): (E.VALIDEE, True),
    (E.INSCRITE, Issue.A_CORRIGER): (E.INSCRITE, False),
    (E.INSCRITE, Issue.REFUSEE): (E.REFUSEE, True),
    (E.INSCRITE, Issue.RETIREE): (E.REFUSEE, True),
    (E.VALIDEE, Issue.APPROUVEE): (E.VALIDEE, False),
    (E.VALIDEE, Issue.A_CORRIGER): (E.VALIDEE, False),
    (E.VALIDEE, Issue.REFUSEE): (E.REFUSEE, True),
    (E.VALIDEE, Issue.RETIREE): (E.REFUSEE, True),
}


@pytest.mark.parametrize(("etat", "issue"), list(product(E, Issue)))
def test_chaque_decision_a_son_effet_dans_chaque_etat(etat: EtatAssociation, issue: Issue) -> None:
    change = associations.appliquer_decision(_fiche(etat), decision(issue, cible_type=TypeCible.ASSOCIATION))
    attendu = ATTENDU.get((etat, issue))
    if attendu is None:
        assert change is None
        return
    assert change is not None
    assert (change.fiche.association.etat, change.evenement is not None) == attendu


def test_une_decision_sur_un_texte_anterieur_est_perimee_sauf_une_exclusion() -> None:
    assert associations.appliquer_decision(_fiche(E.INSCRITE), decision(Issue.APPROUVEE, version=4)) is None
    assert associations.appliquer_decision(_fiche(E.INSCRITE), decision(Issue.RETIREE, version=4)) is not None
    with pytest.raises(VersionInconnue):
        associations.appliquer_decision(_fiche(E.INSCRITE), decision(Issue.APPROUVEE, version=6))


@pytest.mark.parametrize("etat", [E.INSCRITE, E.VALIDEE])
def test_un_nouveau_texte_est_relu(etat: EtatAssociation) -> None:
    change = associations.corriger(_fiche(etat), PRESENTATION, version_lue=5)
    assert (change.fiche.association.etat, change.fiche.version_inscrite) == (E.INSCRITE, 6)
    assert type(change.evenement) is evenements.AssociationInscrite


def test_une_correction_perimee_ou_d_une_association_refusee_est_refusee() -> None:
    with pytest.raises(VersionDepassee):
        associations.corriger(_fiche(E.INSCRITE), PRESENTATION, version_lue=4)
    with pytest.raises(AssociationRefuseeDefinitivement):
        associations.corriger(_fiche(E.REFUSEE), PRESENTATION, version_lue=5)


def test_le_depart_d_un_membre_ne_demande_pas_de_relecture() -> None:
    change = associations.retirer_membre(_fiche(E.VALIDEE), "c1")
    assert change.fiche.association.membres == []
    assert (change.fiche.association.etat, change.fiche.version_inscrite) == (E.VALIDEE, 5)
    assert type(change.evenement) is evenements.AssociationValidee
