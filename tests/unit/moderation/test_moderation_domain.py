"""Claims, leases, fencing and every forbidden transition of a dossier."""

import datetime as dt
from collections.abc import Callable
from itertools import product

import pytest
from pydantic import ValidationError

from contracts.moderation import Issue, TypeCible
from services.moderation import domain
from services.moderation.domain import TRANSITIONS, Acte, Dossier, Etat
from tests.unit.moderation.exemples import DIX_MINUTES, MIDI, dossier

ACTES: dict[Acte, Callable[[Dossier], Dossier]] = {
    Acte.PRENDRE: lambda d: domain.prendre(d, "alice", MIDI, DIX_MINUTES),
    Acte.LIBERER: lambda d: domain.liberer(d, "alice", MIDI),
    Acte.DECIDER: lambda d: domain.decider(d, "alice", d.jeton, Issue.APPROUVEE, "x", MIDI),
    Acte.PERIMER: lambda d: domain.perimer(d, MIDI),
    Acte.ROUVRIR: lambda d: domain.rouvrir(d.model_copy(update={"issue": Issue.APPROUVEE}), en_ligne=True),
}
TOUS = sorted(product(Etat, Acte))


@pytest.mark.parametrize(("etat", "acte"), [cas for cas in TOUS if cas not in TRANSITIONS])
def test_what_the_table_does_not_allow_is_refused(etat: Etat, acte: Acte) -> None:
    with pytest.raises(domain.TransitionInterdite) as refus:
        ACTES[acte](dossier(etat))
    assert (refus.value.etat, refus.value.acte) == (etat, acte)


@pytest.mark.parametrize(("etat", "acte"), [cas for cas in TOUS if cas in TRANSITIONS])
def test_what_the_table_allows_leads_where_it_says(etat: Etat, acte: Acte) -> None:
    assert ACTES[acte](dossier(etat)).etat in TRANSITIONS[etat, acte]


def test_only_a_decision_can_be_looked_at_again() -> None:
    assert [cas for cas in TRANSITIONS if cas[0] in (Etat.DECIDE, Etat.CADUC)] == [(Etat.DECIDE, Acte.ROUVRIR)]


@pytest.mark.parametrize(
    ("champs", "en_ligne"),
    [
        ({"issue": Issue.REFUSEE}, True),
        ({"issue": Issue.RETIREE}, True),
        ({"issue": Issue.A_CORRIGER}, True),
        ({"issue": Issue.APPROUVEE, "cible_type": TypeCible.ASSOCIATION}, True),
        ({"issue": Issue.APPROUVEE}, False),
    ],
)
def test_every_decision_but_the_approval_of_what_is_online_is_final(champs: dict[str, object], en_ligne: bool) -> None:
    with pytest.raises(domain.NonRevisable):
        domain.rouvrir(dossier(Etat.DECIDE, **champs), en_ligne=en_ligne)


def test_second_claim_is_refused_while_the_lease_runs() -> None:
    pris = domain.prendre(dossier(), "alice", MIDI, DIX_MINUTES)
    with pytest.raises(domain.DejaPris) as refus:
        domain.prendre(pris, "bob", MIDI + dt.timedelta(minutes=9), DIX_MINUTES)
    assert refus.value.par == "alice"


def test_after_the_lease_the_next_holder_has_a_higher_token_and_the_first_one_is_fenced_off() -> None:
    d_alice = domain.prendre(dossier(), "alice", MIDI, DIX_MINUTES)
    plus_tard = MIDI + DIX_MINUTES
    assert d_alice.etat_a(plus_tard) is Etat.A_TRAITER
    d_bob = domain.prendre(d_alice, "bob", plus_tard, DIX_MINUTES)
    assert d_bob.jeton > d_alice.jeton
    for qui, jeton in (("alice", d_alice.jeton), ("alice", d_bob.jeton), ("bob", d_alice.jeton)):
        with pytest.raises(domain.BailPerdu):
            domain.decider(d_bob, qui, jeton, Issue.APPROUVEE, "x", plus_tard)
    assert domain.decider(d_bob, "bob", d_bob.jeton, Issue.APPROUVEE, "x", plus_tard).etat is Etat.DECIDE


def test_a_lease_that_ran_out_but_went_to_nobody_else_still_decides() -> None:
    pris = domain.prendre(dossier(), "alice", MIDI, DIX_MINUTES)
    heures = MIDI + dt.timedelta(hours=3)
    assert domain.decider(pris, "alice", pris.jeton, Issue.APPROUVEE, "x", heures).ferme_at == heures


def test_to_claim_again_prolongs_and_keeps_the_token() -> None:
    pris = domain.prendre(dossier(), "alice", MIDI, DIX_MINUTES)
    encore = domain.prendre(pris, "alice", MIDI + dt.timedelta(minutes=5), DIX_MINUTES)
    assert encore.jeton == pris.jeton
    assert encore.bail is not None
    assert encore.bail.expire_at == MIDI + dt.timedelta(minutes=15)


def test_a_dossier_given_back_is_free_and_its_old_token_is_worth_nothing() -> None:
    pris = domain.prendre(dossier(), "alice", MIDI, DIX_MINUTES)
    libre = domain.liberer(pris, "alice", MIDI)
    repris = domain.prendre(libre, "alice", MIDI, DIX_MINUTES)
    assert (libre.etat, libre.bail) == (Etat.A_TRAITER, None)
    with pytest.raises(domain.BailPerdu):
        domain.decider(repris, "alice", pris.jeton, Issue.APPROUVEE, "x", MIDI)


def test_only_its_holder_gives_back() -> None:
    with pytest.raises(domain.DejaPris):
        domain.liberer(dossier(Etat.PRIS), "bob", MIDI)


def test_un_dossier_n_est_tenu_que_par_qui_l_a_pris_et_tant_que_dure_son_bail() -> None:
    pris = domain.prendre(dossier(), "alice", MIDI, DIX_MINUTES)
    assert pris.tenu_par("alice", MIDI)
    assert not pris.tenu_par("bob", MIDI)
    assert not pris.tenu_par("alice", MIDI + DIX_MINUTES)
    assert not dossier().tenu_par("alice", MIDI)


def test_un_bail_fini_n_empeche_plus_personne_de_rendre_ni_de_prendre() -> None:
    pris = domain.prendre(dossier(), "alice", MIDI, DIX_MINUTES)
    assert domain.liberer(pris, "bob", MIDI + DIX_MINUTES).etat is Etat.A_TRAITER
    assert domain.prendre(pris, "bob", MIDI + DIX_MINUTES, DIX_MINUTES).bail is not None


def test_un_dossier_lu_ne_se_change_pas_sur_place() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        setattr(dossier(), "titre", "autre")  # noqa: B010 (mypy would refuse the assignment itself)


def test_what_waits_to_be_seen_after_goes_back_there() -> None:
    assert domain.liberer(dossier(Etat.PRIS, revue=True), "alice", MIDI).etat is Etat.A_REVOIR


@pytest.mark.parametrize("qui", ["auteur", "membre"])
def test_nobody_decides_about_their_own_post(qui: str) -> None:
    with pytest.raises(domain.PartiePrenante):
        domain.verifier_partie(dossier(), qui, ["membre"])


def test_a_third_party_may_decide() -> None:
    domain.verifier_partie(dossier(), "alice", ["membre"])


def test_queue_puts_urgent_first_and_what_is_published_last() -> None:
    rangs = [dossier(revue=revue, urgent=urgent).rang for revue, urgent in product((False, True), (True, False))]
    assert rangs == sorted(rangs)
    assert len(set(rangs)) == 4


@pytest.mark.parametrize("confiance", [True, False])
@pytest.mark.parametrize("politique", ["pre", "confiance"])
def test_an_association_is_always_vetted_by_a_person(politique: str, confiance: bool) -> None:
    assert not domain.publie_d_office(politique, TypeCible.ASSOCIATION, confiance)


def test_only_trust_under_the_policy_of_trust_publishes_at_once() -> None:
    publies = [
        cas
        for cas in product(("pre", "confiance"), (True, False))
        if domain.publie_d_office(cas[0], TypeCible.ANNONCE, cas[1])
    ]
    assert publies == [("confiance", True)]
