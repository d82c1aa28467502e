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
def test_ce_que_la_table_ne_permet_pas_est_refuse(etat: Etat, acte: Acte) -> None:
    with pytest.raises(domain.TransitionInterdite) as refus:
        ACTES[acte](dossier(etat))
    assert (refus.value.etat, refus.value.acte) == (etat, acte)


@pytest.mark.parametrize(("etat", "acte"), [cas for cas in TOUS if cas in TRANSITIONS])
def test_ce_que_la_table_permet_mene_ou_elle_dit(etat: Etat, acte: Acte) -> None:
    assert ACTES[acte](dossier(etat)).etat in TRANSITIONS[etat, acte]


def test_seule_une_decision_peut_etre_revue() -> None:
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
def test_toute_decision_est_finale_sauf_l_approbation_de_ce_qui_est_en_ligne(
    champs: dict[str, object], en_ligne: bool
) -> None:
    with pytest.raises(domain.NonRevisable):
        domain.rouvrir(dossier(Etat.DECIDE, **champs), en_ligne=en_ligne)


def test_un_second_ne_prend_pas_un_dossier_tant_que_dure_le_bail() -> None:
    pris = domain.prendre(dossier(), "alice", MIDI, DIX_MINUTES)
    with pytest.raises(domain.DejaPris) as refus:
        domain.prendre(pris, "bob", MIDI + dt.timedelta(minutes=9), DIX_MINUTES)
    assert refus.value.par == "alice"


def test_apres_le_bail_le_suivant_a_un_jeton_plus_haut_et_le_premier_est_ecarte() -> None:
    d_alice = domain.prendre(dossier(), "alice", MIDI, DIX_MINUTES)
    plus_tard = MIDI + DIX_MINUTES
    assert d_alice.etat_a(plus_tard) is Etat.A_TRAITER
    d_bob = domain.prendre(d_alice, "bob", plus_tard, DIX_MINUTES)
    assert d_bob.jeton > d_alice.jeton
    for qui, jeton in (("alice", d_alice.jeton), ("alice", d_bob.jeton), ("bob", d_alice.jeton)):
        with pytest.raises(domain.BailPerdu):
            domain.decider(d_bob, qui, jeton, Issue.APPROUVEE, "x", plus_tard)
    assert domain.decider(d_bob, "bob", d_bob.jeton, Issue.APPROUVEE, "x", plus_tard).etat is Etat.DECIDE


def test_un_bail_fini_que_personne_n_a_repris_decide_encore() -> None:
    pris = domain.prendre(dossier(), "alice", MIDI, DIX_MINUTES)
    heures = MIDI + dt.timedelta(hours=3)
    assert domain.decider(pris, "alice", pris.jeton, Issue.APPROUVEE, "x", heures).ferme_at == heures


def test_reprendre_prolonge_et_garde_le_jeton() -> None:
    pris = domain.prendre(dossier(), "alice", MIDI, DIX_MINUTES)
    encore = domain.prendre(pris, "alice", MIDI + dt.timedelta(minutes=5), DIX_MINUTES)
    assert encore.jeton == pris.jeton
    assert encore.bail is not None
    assert encore.bail.expire_at == MIDI + dt.timedelta(minutes=15)


def test_un_dossier_rendu_est_libre_et_son_ancien_jeton_ne_vaut_rien() -> None:
    pris = domain.prendre(dossier(), "alice", MIDI, DIX_MINUTES)
    libre = domain.liberer(pris, "alice", MIDI)
    repris = domain.prendre(libre, "alice", MIDI, DIX_MINUTES)
    assert (libre.etat, libre.bail) == (Etat.A_TRAITER, None)
    with pytest.raises(domain.BailPerdu):
        domain.decider(repris, "alice", pris.jeton, Issue.APPROUVEE, "x", MIDI)


def test_seul_qui_tient_un_dossier_le_rend() -> None:
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


def test_ce_qui_attend_d_etre_revu_y_retourne() -> None:
    assert domain.liberer(dossier(Etat.PRIS, revue=True), "alice", MIDI).etat is Etat.A_REVOIR


@pytest.mark.parametrize("qui", ["auteur", "membre"])
def test_personne_ne_decide_de_sa_propre_annonce(qui: str) -> None:
    with pytest.raises(domain.PartiePrenante):
        domain.verifier_partie(dossier(), qui, ["membre"])


def test_un_tiers_peut_decider() -> None:
    domain.verifier_partie(dossier(), "alice", ["membre"])


def test_la_file_met_l_urgent_d_abord_et_ce_qui_est_publie_a_la_fin() -> None:
    rangs = [dossier(revue=revue, urgent=urgent).rang for revue, urgent in product((False, True), (True, False))]
    assert rangs == sorted(rangs)
    assert len(set(rangs)) == 4


@pytest.mark.parametrize("confiance", [True, False])
@pytest.mark.parametrize("politique", ["pre", "confiance"])
def test_une_association_est_toujours_validee_par_une_personne(politique: str, confiance: bool) -> None:
    assert not domain.publie_d_office(politique, TypeCible.ASSOCIATION, confiance)


def test_seule_la_confiance_sous_la_politique_de_confiance_publie_aussitot() -> None:
    publies = [
        cas
        for cas in product(("pre", "confiance"), (True, False))
        if domain.publie_d_office(cas[0], TypeCible.ANNONCE, cas[1])
    ]
    assert publies == [("confiance", True)]
