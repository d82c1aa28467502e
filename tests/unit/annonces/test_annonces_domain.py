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
    EVENEMENTS,
    FINAUX,
    TRANSITIONS,
    Action,
    Changement,
    Fiche,
    PlacesDejaPrises,
    PlacesInsuffisantes,
    Refus,
    TransitionInterdite,
    VersionDepassee,
    VersionInconnue,
)
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
def test_the_table_allows_what_is_meant_and_nothing_else(etat: EtatAnnonce, action: Action) -> None:
    assert TRANSITIONS.get((etat, action)) == ATTENDU.get((etat.value, action.value))


@pytest.mark.parametrize(("etat", "action"), PRODUIT)
def test_every_transition_is_done_or_refused(etat: EtatAnnonce, action: Action) -> None:
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
def test_every_command_in_every_state(nom: str, etat: EtatAnnonce) -> None:
    commande, permis = COMMANDES[nom]
    if etat in permis:
        assert commande(fiche(etat)).fiche.annonce.version == 6
    else:
        with pytest.raises(TransitionInterdite):
            commande(fiche(etat))


@pytest.mark.parametrize(("etat", "issue"), list(product(E, Issue)))
def test_every_decision_in_every_state(etat: EtatAnnonce, issue: Issue) -> None:
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
def test_nothing_leaves_a_final_state(etat: EtatAnnonce, action: Action) -> None:
    assert (etat, action) not in TRANSITIONS


@pytest.mark.parametrize("issue", [Issue.APPROUVEE, Issue.A_CORRIGER, Issue.REFUSEE])
def test_a_decision_about_an_earlier_text_is_stale(issue: Issue) -> None:
    assert domain.appliquer_decision(fiche(E.DEPOSEE), decision(issue, version=4), NOW) is None


def test_a_withdrawal_wins_over_a_later_text() -> None:
    change = domain.appliquer_decision(fiche(E.DEPOSEE), decision(Issue.RETIREE, version=1), NOW)
    assert change is not None
    assert change.fiche.annonce.etat is E.RETIREE


def test_places_taken_since_do_not_make_a_decision_stale() -> None:
    lue = fiche(E.PUBLIEE, version=9, version_deposee=5, restantes=1)
    change = domain.appliquer_decision(lue, decision(Issue.A_CORRIGER, version=5), NOW)
    assert change is not None
    assert change.fiche.annonce.etat is E.A_CORRIGER


def test_a_decision_about_a_version_to_come_was_not_made_here() -> None:
    with pytest.raises(VersionInconnue):
        domain.appliquer_decision(fiche(E.DEPOSEE), decision(Issue.APPROUVEE, version=6), NOW)


def test_the_first_publication_counts() -> None:
    change = domain.appliquer_decision(fiche(E.DEPOSEE), decision(Issue.APPROUVEE), NOW)
    assert change is not None
    assert change.fiche.annonce.publiee_at == NOW
    corrigee = domain.corriger(change.fiche, contenu(titre="Un autre titre"), version_lue=6, now=NOW)
    plus_tard = NOW + dt.timedelta(days=3)
    encore = domain.appliquer_decision(corrigee.fiche, decision(Issue.APPROUVEE, version=7), plus_tard)
    assert encore is not None
    assert (encore.fiche.annonce.titre, encore.fiche.annonce.publiee_at) == ("Un autre titre", NOW)


def test_approved_with_no_place_left_it_is_filled_at_once() -> None:
    change = domain.appliquer_decision(fiche(E.DEPOSEE, restantes=0), decision(Issue.APPROUVEE), NOW)
    assert change is not None
    assert (change.fiche.annonce.etat, change.fiche.annonce.version) == (E.POURVUE, 6)
    assert type(change.evenement) is evenements.AnnoncePourvue


def test_a_stale_correction_and_one_below_what_is_taken() -> None:
    lue = fiche(E.PUBLIEE, restantes=1)
    with pytest.raises(VersionDepassee) as depassee:
        domain.corriger(lue, contenu(), version_lue=4, now=NOW)
    assert depassee.value.actuelle == 5
    with pytest.raises(PlacesDejaPrises) as prises:
        domain.corriger(lue, contenu(places=1), version_lue=5, now=NOW)
    assert prises.value.prises == 2
    assert domain.corriger(lue, contenu(places=2), version_lue=5, now=NOW).fiche.annonce.places_restantes == 0


def test_the_last_place_fills_it_and_a_freed_one_opens_it_without_an_alert() -> None:
    pourvue = domain.reserver(fiche(E.PUBLIEE, restantes=2), 2, NOW)
    assert type(pourvue.evenement) is evenements.AnnoncePourvue
    ouverte = domain.liberer(pourvue.fiche, 1)
    assert type(ouverte.evenement) is evenements.AnnonceModifiee
    assert (ouverte.fiche.annonce.etat, ouverte.fiche.annonce.places_restantes) == (E.PUBLIEE, 1)


def test_not_enough_places_says_how_many_are_left() -> None:
    with pytest.raises(PlacesInsuffisantes) as caught:
        domain.reserver(fiche(E.PUBLIEE, restantes=2), 3, NOW)
    assert caught.value.restantes == 2


def test_nobody_answers_after_the_last_day() -> None:
    with pytest.raises(TransitionInterdite):
        domain.reserver(fiche(E.PUBLIEE), 1, NOW + dt.timedelta(days=60))


@pytest.mark.parametrize("etat", [E.DEPOSEE, E.A_CORRIGER, E.REFUSEE, E.RETIREE, E.EXPIREE])
def test_a_place_freed_where_nobody_can_answer_is_only_counted(etat: EtatAnnonce) -> None:
    change = domain.liberer(fiche(etat, restantes=1), 1)
    assert change.evenement is None
    assert (change.fiche.annonce.version, change.fiche.annonce.places_restantes) == (5, 2)


def test_a_withdrawal_by_others_keeps_its_reasons() -> None:
    assert domain.retirer(fiche(E.PUBLIEE), [Motif(code="autre")]).fiche.motifs == (Motif(code="autre"),)


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 4)), max_size=40))
def test_places_are_never_oversold_nor_multiplied(pas: list[tuple[bool, int]]) -> None:
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
