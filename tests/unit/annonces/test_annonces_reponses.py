"""The life of a reponse: every transition, allowed or forbidden, and who may answer."""

import datetime as dt
from itertools import product
from typing import Any

import pytest

from contracts.annonces import EtatAnnonce, EtatReponse, RaisonCloture, Reponse
from contracts.notifications import Canal
from services.annonces import reponses
from services.annonces.reponses import (
    TRANSITIONS,
    ActionReponse,
    AnnonceSansSuite,
    Demande,
    Origine,
    ReponseImpossible,
    SansEffet,
)
from tests.unit.annonces.fabrique import NOW, fiche

# What the table must say, written a second time on purpose: (state, action) → state.
ATTENDU = {
    ("deposee", "accepter"): "acceptee",
    ("deposee", "decliner"): "declinee",
    ("deposee", "annuler"): "annulee",
    ("deposee", "clore"): "close",
    ("acceptee", "annuler"): "annulee",
    ("acceptee", "clore"): "close",
    ("acceptee", "liberer"): "declinee",
    ("en_attente", "promouvoir"): "deposee",
    ("en_attente", "decliner"): "declinee",
    ("en_attente", "annuler"): "annulee",
    ("en_attente", "clore"): "close",
}
PRODUIT = list(product(EtatReponse, ActionReponse))


def demande(**champs: Any) -> Demande:
    return Demande(
        **{"reponse_id": "r1", "annonce_id": "n1", "compte_id": "b1", "quantite": 2, "attendre": True, **champs}
    )


def _reponse(etat: EtatReponse) -> Reponse:
    annonce = fiche(EtatAnnonce.PUBLIEE, restantes=1).annonce
    change = reponses.repondre(demande(), annonce, quantite=2, destinataires=["c1"], now=NOW)
    return change.reponse.model_copy(update={"etat": etat})


def _faire(reponse: Reponse, action: ActionReponse) -> reponses.ChangementReponse:
    if action is ActionReponse.PROMOUVOIR:
        annonce = fiche(EtatAnnonce.POURVUE, restantes=0).annonce
        return reponses.promouvoir(reponse, annonce, quantite=reponse.quantite, destinataires=["c2"])
    if action is ActionReponse.CLORE:
        return reponses.clore(reponse, RaisonCloture.RETIREE)
    return reponses.agir(reponse, action, EtatAnnonce.PUBLIEE, ["c2"])


@pytest.mark.parametrize(("etat", "action"), PRODUIT)
def test_la_table_permet_ce_qui_est_voulu_et_rien_d_autre(etat: EtatReponse, action: ActionReponse) -> None:
    assert TRANSITIONS.get((etat, action)) == ATTENDU.get((etat.value, action.value))


@pytest.mark.parametrize(("etat", "action"), PRODUIT)
def test_chaque_transition_est_faite_ou_refusee(etat: EtatReponse, action: ActionReponse) -> None:
    attendu = ATTENDU.get((etat.value, action.value))
    if attendu is None:
        with pytest.raises(ReponseImpossible):
            _faire(_reponse(etat), action)
        return
    change = _faire(_reponse(etat), action)
    assert (change.reponse.etat, change.reponse.version) == (attendu, 2)
    assert change.reponse.destinataires == (["c1"] if action is ActionReponse.CLORE else ["c2"])
    assert type(change.evenement) is reponses.EVENEMENTS[action]
    assert change.evenement.reponse == change.reponse
    rend = etat in reponses.ACTIVES and change.reponse.etat not in reponses.ACTIVES
    assert reponses.rend_ses_places(etat, change.reponse.etat) == rend


@pytest.mark.parametrize("etat", [EtatAnnonce.REFUSEE, EtatAnnonce.RETIREE])
def test_rien_n_est_accepte_pour_une_annonce_sans_suite(etat: EtatAnnonce) -> None:
    with pytest.raises(AnnonceSansSuite):
        reponses.agir(_reponse(EtatReponse.DEPOSEE), ActionReponse.ACCEPTER, etat)
    annulee = reponses.agir(_reponse(EtatReponse.DEPOSEE), ActionReponse.ANNULER, etat)
    assert annulee.reponse.etat is EtatReponse.ANNULEE


def test_ce_qui_ne_tient_plus_de_place_n_en_dit_aucune() -> None:
    assert _reponse(EtatReponse.DEPOSEE).place == 2
    for action in (ActionReponse.DECLINER, ActionReponse.ANNULER, ActionReponse.CLORE):
        assert _faire(_reponse(EtatReponse.DEPOSEE), action).reponse.place is None
    assert _faire(_reponse(EtatReponse.DEPOSEE), ActionReponse.ACCEPTER).reponse.place == 2


def test_une_reponse_par_message_dit_laquelle_et_une_annulation_aussi() -> None:
    origine = Origine("m1", Canal.SMS)
    annonce = fiche(EtatAnnonce.PUBLIEE, restantes=1).annonce
    change = reponses.repondre(demande(origine=origine), annonce, quantite=2, destinataires=["c1"], now=NOW)
    assert (change.reponse.canal, change.reponse.place, change.reponse.places) == (Canal.SMS, 2, 3)
    assert (change.evenement.message_id, change.evenement.message_canal) == ("m1", Canal.SMS)
    plus_tard = Origine("m2", Canal.EMAIL)
    annulee = reponses.agir(change.reponse, ActionReponse.ANNULER, EtatAnnonce.PUBLIEE, None, plus_tard)
    assert (annulee.evenement.message_id, annulee.evenement.message_canal) == ("m2", Canal.EMAIL)
    assert annulee.reponse.canal is Canal.SMS


RAISONS = {
    EtatAnnonce.DEPOSEE: "pas_publiee",
    EtatAnnonce.A_CORRIGER: "pas_publiee",
    EtatAnnonce.REFUSEE: "retiree",
    EtatAnnonce.RETIREE: "retiree",
    EtatAnnonce.EXPIREE: "expiree",
}


@pytest.mark.parametrize("etat", EtatAnnonce)
@pytest.mark.parametrize("publiee", [True, False])
def test_une_annonce_prend_des_reponses_ou_dit_pourquoi_non(etat: EtatAnnonce, publiee: bool) -> None:
    annonce = fiche(etat).annonce.model_copy(update={"publiee_at": NOW if publiee else None})
    attendue = RAISONS.get(etat) if publiee else "inconnue"
    if attendue is None:
        reponses.verifier(annonce, ["c1"], "b1", None, NOW)
        return
    with pytest.raises(SansEffet) as caught:
        reponses.verifier(annonce, ["c1"], "b1", None, NOW)
    assert caught.value.raison == attendue


def test_on_ne_repond_ni_a_soi_ni_deux_fois_ni_apres_le_dernier_jour() -> None:
    annonce = fiche(EtatAnnonce.PUBLIEE).annonce.model_copy(update={"publiee_at": NOW})
    with pytest.raises(SansEffet) as sienne:
        reponses.verifier(annonce, ["c1"], "c1", None, NOW)
    assert sienne.value.raison == "sa_propre_annonce"
    donnee = _reponse(EtatReponse.ACCEPTEE)
    with pytest.raises(SansEffet) as deja:
        reponses.verifier(annonce, ["c1"], "b1", donnee, NOW)
    assert (deja.value.raison, deja.value.existante) == ("deja_repondu", donnee)
    with pytest.raises(SansEffet) as expiree:
        reponses.verifier(annonce, ["c1"], "b1", None, NOW + dt.timedelta(days=60))
    assert expiree.value.raison == "expiree"
