"""Which publications matching must have searched for."""

import pytest

from contracts.annonces import EtatAnnonce
from deploy.bilan.alerts import ajouter
from deploy.bilan.publications import Publication, Suivi, sans_recherche
from deploy.bilan.reconciliation import Bilan


def publication(version: int = 2, *, a_lire: bool = False, morte: bool = False) -> Publication:
    return Publication("a1", "Une échelle", version, a_lire, morte)


def test_une_publication_que_matching_ne_connait_pas_n_a_pas_ete_cherchee() -> None:
    assert sans_recherche(publication(), None)


@pytest.mark.parametrize(("version", "appariee", "manque"), [(2, 2, False), (2, 5, False), (3, 2, True), (1, 0, True)])
def test_chaque_version_publiee_doit_avoir_ete_cherchee(version: int, appariee: int, manque: bool) -> None:
    assert sans_recherche(publication(version), Suivi(EtatAnnonce.PUBLIEE.value, appariee)) is manque


@pytest.mark.parametrize("etat", [EtatAnnonce.RETIREE, EtatAnnonce.EXPIREE, EtatAnnonce.POURVUE])
def test_personne_n_est_a_chercher_pour_ce_qui_est_clos_ou_complet(etat: EtatAnnonce) -> None:
    assert not sans_recherche(publication(), Suivi(etat.value, 0))


def test_une_publication_sans_recherche_est_inexpliquee_et_nommee() -> None:
    bilan = Bilan({})
    ajouter(bilan, [publication()])
    assert (bilan.total.inexpliquees, bilan.total.sans_appariement, bilan.total.en_route) == (1, ["a1"], 0)
    assert bilan.comptes["a1"].titre == "Une échelle"


def test_ce_que_matching_lira_encore_est_en_route() -> None:
    bilan = Bilan({})
    ajouter(bilan, [publication(a_lire=True)])
    assert (bilan.total.inexpliquees, bilan.total.en_route) == (0, 1)


def test_une_publication_en_lettre_morte_est_inexpliquee_et_le_dit() -> None:
    bilan = Bilan({})
    ajouter(bilan, [publication(morte=True)])
    assert (bilan.total.inexpliquees, bilan.total.lettres_mortes) == (1, 1)
