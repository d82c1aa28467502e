"""The state machine of an annonce: what is allowed, and every forbidden transition one by one."""

import datetime as dt
from collections.abc import Callable
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import annonces as evenements
from contracts.annonces import EtatAnnonce
from contracts.moderation import Issue, Motif
from services.annonces import domain
from services.annonces.domain import (
    Changement,
    Fiche,
    PlacesDejaPrises,
    PlacesInsuffisantes,
    Refus,
    TransitionInterdite,
    VersionDepassee,
    VersionInconnue,
)
from services.annonces.transitions import EVENEMENTS, FINAUX, TRANSITIONS, Action
from tests.unit.annonces.fabrique import NOW, contenu, decision, fiche

E = EtatAnnonce

# What the table must say, written a second time on purpose: (state, action) → state.
ATTENDU = {
    ("deposee", "corriger"): "deposee",
    ("deposee", "approuver"): "publiee",
    ("deposee", "demander_correction"): "a_corriger",
    ("deposee", "refuser"): "refusee",
    ("deposee", "retirer"): "retiree",
    ("deposee", "expirer"): "expiree",
    ("a_corriger", "corriger"): "deposee",
    ("a_corriger", "retirer"): "retiree",
    ("a_corriger", "expirer"): "expiree",
    ("publiee", "modifier"): "publiee",
    ("publiee", "approuver"): "publiee",
    ("publiee", "demander_correction"): "a_corriger",
    ("publiee", "refuser"): "refusee",
    ("publiee", "retirer"): "retiree",
    ("publiee", "reserver"): "publiee",
    ("publiee", "liberer"): "publiee",
    ("publiee", "pourvoir"): "pourvue",
    ("publiee", "expirer"): "expiree",
    ("pourvue", "demander_correction"): "a_corriger",
    ("pourvue", "refuser"): "refusee",
    ("pourvue", "pourvoir"): "pourvue",
    ("pourvue", "rouvrir"): "publiee",
    ("pourvue", "retirer"): "retiree",
    ("pourvue", "expirer"): "expiree",
}

PRODUIT = list(product(E, Action))


@pytest.mark.parametrize(("etat", "action"), PRODUIT)
def test_la_table_permet_ce_qui_est_voulu_et_rien_d_autre(etat: EtatAnnonce, action: Action) -> None:
    assert TRANSITIONS.get((etat, action)) == ATTENDU.get((etat.value, action.value))


@pytest.mark.parametrize(("etat", "action"), PRODUIT)
def test_chaque_transition_est_faite_ou_refusee(etat: EtatAnnonce, action: Action) -> None:
    lue = fiche(etat)
    if (etat, action) not in TRANSITIONS:
        with pytest.raises(TransitionInterdite) as caught:
            domain._appliquer(lue, action)
        assert (caught.value.etat, caught.value.action) == (etat, action)
        return
    change = domain._appliquer(lue, action)
    assert change.fiche.annonce.etat is TRANSITIONS[etat, action]
    assert change.fiche.annonce.version == 6
    assert type(change.evenement) is EVENEMENTS[action]
    assert change.evenement is not None
    assert change.evenement.annonce == change.fiche.annonce


COMMANDES: dict[str, tuple[Callable[[Fiche], Changement], set[EtatAnnonce]]] = {
    "corriger": (
        lambda f: domain.corriger(f, contenu(), version_lue=5, now=NOW),
        {E.DEPOSEE, E.A_CORRIGER, E.PUBLIEE, E.POURVUE},
    ),
    "changer_places": (lambda f: domain.changer_places(f, 7), {E.PUBLIEE, E.POURVUE}),
    "retirer": (domain.retirer, {E.DEPOSEE, E.A_CORRIGER, E.PUBLIEE, E.POURVUE}),
    "expirer": (domain.expirer, {E.DEPOSEE, E.A_CORRIGER, E.PUBLIEE, E.POURVUE}),
    "reserver": (lambda f: domain.reserver(f, 1, NOW), {E.PUBLIEE}),
}


@pytest.mark.parametrize(("nom", "etat"), list(product(COMMANDES, E)))
def test_chaque_commande_a_son_effet_dans_chaque_etat(nom: str, etat: EtatAnnonce) -> None:
    commande, permis = COMMANDES[nom]
    if etat in permis:
        assert commande(fiche(etat)).fiche.annonce.version == 6
    else:
        with pytest.raises(TransitionInterdite):
            commande(fiche(etat))


@pytest.mark.parametrize(("etat", "issue"), list(product(E, Issue)))
def test_chaque_decision_a_son_effet_dans_chaque_etat(etat: EtatAnnonce, issue: Issue) -> None:
    change = domain.appliquer_decision(fiche(etat), decision(issue), NOW)
    action = domain._ISSUES[issue]
    if issue is Issue.APPROUVEE and etat in (E.PUBLIEE, E.POURVUE):
        assert change is not None
        assert change.evenement is None
        assert change.fiche.annonce == fiche(etat).annonce
    elif (etat, action) in TRANSITIONS:
        assert change is not None
        assert change.fiche.annonce.etat is TRANSITIONS[etat, action]
        assert [motif.code for motif in change.fiche.motifs] == ([] if issue is Issue.APPROUVEE else ["autre"])
    else:
        assert change is None


@pytest.mark.parametrize(("etat", "action"), list(product(sorted(FINAUX), Action)))
def test_rien_ne_sort_d_un_etat_final(etat: EtatAnnonce, action: Action) -> None:
    assert (etat, action) not in TRANSITIONS


@pytest.mark.parametrize("issue", [Issue.APPROUVEE, Issue.A_CORRIGER, Issue.REFUSEE])
def test_une_decision_sur_un_texte_anterieur_est_perimee(issue: Issue) -> None:
    assert domain.appliquer_decision(fiche(E.DEPOSEE), decision(issue, version=4), NOW) is None


def test_un_retrait_l_emporte_sur_un_texte_plus_recent() -> None:
    change = domain.appliquer_decision(fiche(E.DEPOSEE), decision(Issue.RETIREE, version=1), NOW)
    assert change is not None
    assert change.fiche.annonce.etat is E.RETIREE


def test_des_places_prises_depuis_ne_periment_pas_une_decision() -> None:
    lue = fiche(E.PUBLIEE, version=9, version_deposee=5, restantes=1)
    change = domain.appliquer_decision(lue, decision(Issue.A_CORRIGER, version=5), NOW)
    assert change is not None
    assert change.fiche.annonce.etat is E.A_CORRIGER


def test_une_decision_sur_une_version_a_venir_n_est_pas_d_ici() -> None:
    with pytest.raises(VersionInconnue):
        domain.appliquer_decision(fiche(E.DEPOSEE), decision(Issue.APPROUVEE, version=6), NOW)


def test_seule_la_premiere_publication_date_une_annonce() -> None:
    change = domain.appliquer_decision(fiche(E.DEPOSEE), decision(Issue.APPROUVEE), NOW)
    assert change is not None
    assert change.fiche.annonce.publiee_at == NOW
    corrigee = domain.corriger(change.fiche, contenu(titre="Un autre titre"), version_lue=6, now=NOW)
    plus_tard = NOW + dt.timedelta(days=3)
    encore = domain.appliquer_decision(corrigee.fiche, decision(Issue.APPROUVEE, version=7), plus_tard)
    assert encore is not None
    assert (encore.fiche.annonce.titre, encore.fiche.annonce.publiee_at) == ("Un autre titre", NOW)


def test_approuvee_sans_place_restante_elle_est_pourvue_aussitot() -> None:
    change = domain.appliquer_decision(fiche(E.DEPOSEE, restantes=0), decision(Issue.APPROUVEE), NOW)
    assert change is not None
    assert (change.fiche.annonce.etat, change.fiche.annonce.version) == (E.POURVUE, 6)
    assert type(change.evenement) is evenements.AnnoncePourvue


def test_une_correction_perimee_ou_sous_les_places_prises_est_refusee() -> None:
    lue = fiche(E.PUBLIEE, restantes=1)
    with pytest.raises(VersionDepassee) as depassee:
        domain.corriger(lue, contenu(), version_lue=4, now=NOW)
    assert depassee.value.actuelle == 5
    with pytest.raises(PlacesDejaPrises) as prises:
        domain.corriger(lue, contenu(places=1), version_lue=5, now=NOW)
    assert prises.value.prises == 2
    assert domain.corriger(lue, contenu(places=2), version_lue=5, now=NOW).fiche.annonce.places_restantes == 0


def test_la_derniere_place_la_pourvoit_et_une_place_liberee_la_rouvre_sans_alerte() -> None:
    pourvue = domain.reserver(fiche(E.PUBLIEE, restantes=2), 2, NOW)
    assert type(pourvue.evenement) is evenements.AnnoncePourvue
    ouverte = domain.liberer(pourvue.fiche, 1)
    assert type(ouverte.evenement) is evenements.AnnonceModifiee
    assert (ouverte.fiche.annonce.etat, ouverte.fiche.annonce.places_restantes) == (E.PUBLIEE, 1)


def test_un_refus_faute_de_places_dit_combien_il_en_reste() -> None:
    with pytest.raises(PlacesInsuffisantes) as caught:
        domain.reserver(fiche(E.PUBLIEE, restantes=2), 3, NOW)
    assert caught.value.restantes == 2


def test_personne_ne_repond_apres_le_dernier_jour() -> None:
    with pytest.raises(TransitionInterdite):
        domain.reserver(fiche(E.PUBLIEE), 1, NOW + dt.timedelta(days=60))


@pytest.mark.parametrize("etat", [E.DEPOSEE, E.A_CORRIGER, E.REFUSEE, E.RETIREE, E.EXPIREE])
def test_une_place_liberee_ou_personne_ne_peut_repondre_est_seulement_comptee(etat: EtatAnnonce) -> None:
    change = domain.liberer(fiche(etat, restantes=1), 1)
    assert change.evenement is None
    assert (change.fiche.annonce.version, change.fiche.annonce.places_restantes) == (5, 2)


def test_un_retrait_par_d_autres_garde_ses_motifs() -> None:
    assert domain.retirer(fiche(E.PUBLIEE), [Motif(code="autre")]).fiche.motifs == (Motif(code="autre"),)


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 4)), max_size=40))
def test_les_places_ne_sont_jamais_survendues_ni_multipliees(pas: list[tuple[bool, int]]) -> None:
    lue = fiche(E.PUBLIEE, restantes=7, places=7)
    prises: list[int] = []
    for reserve, quantite in pas:
        version = lue.annonce.version
        if reserve:
            try:
                lue = domain.reserver(lue, quantite, NOW).fiche
            except Refus:
                assert lue.annonce.etat is E.POURVUE or quantite > lue.annonce.places_restantes
                continue
            prises.append(quantite)
        elif prises:
            lue = domain.liberer(lue, prises.pop()).fiche
        else:
            continue
        assert lue.annonce.version == version + 1
        assert lue.annonce.places_restantes == 7 - sum(prises)
        assert (lue.annonce.etat is E.POURVUE) == (lue.annonce.places_restantes == 0)
