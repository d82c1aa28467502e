"""The life of a reponse: every transition, allowed or forbidden."""

from itertools import product

import pytest

from contracts.annonces import EtatAnnonce, EtatReponse
from services.annonces import reponses
from services.annonces.reponses import ActionReponse, AnnonceSansSuite, ReponseImpossible
from tests.unit.annonces.fabrique import NOW, fiche

ATTENDU = {
    ("deposee", "accepter"): "acceptee",
    ("deposee", "decliner"): "declinee",
    ("deposee", "annuler"): "annulee",
    ("acceptee", "annuler"): "annulee",
}


def _reponse(etat: EtatReponse) -> reponses.Reponse:
    annonce = fiche(EtatAnnonce.PUBLIEE).annonce
    change = reponses.repondre("r1", annonce, compte_id="b1", destinataires=["c1"], quantite=2, now=NOW)
    return change.reponse.model_copy(update={"etat": etat})


@pytest.mark.parametrize(("etat", "action"), list(product(EtatReponse, ActionReponse)))
def test_every_transition_is_done_or_refused(etat: EtatReponse, action: ActionReponse) -> None:
    attendu = ATTENDU.get((etat.value, action.value))
    if attendu is None:
        with pytest.raises(ReponseImpossible):
            reponses.agir(_reponse(etat), action, EtatAnnonce.PUBLIEE)
        return
    change = reponses.agir(_reponse(etat), action, EtatAnnonce.PUBLIEE, ["c2"])
    assert (change.reponse.etat, change.reponse.version) == (attendu, 2)
    assert change.reponse.destinataires == ["c2"]
    assert type(change.evenement) is reponses.EVENEMENTS[action]
    assert reponses.rend_ses_places(etat, change.reponse.etat) == (action is not ActionReponse.ACCEPTER)


@pytest.mark.parametrize("etat", [EtatAnnonce.REFUSEE, EtatAnnonce.RETIREE])
def test_nothing_is_accepted_for_an_annonce_without_follow_up(etat: EtatAnnonce) -> None:
    with pytest.raises(AnnonceSansSuite):
        reponses.agir(_reponse(EtatReponse.DEPOSEE), ActionReponse.ACCEPTER, etat)
    annulee = reponses.agir(_reponse(EtatReponse.DEPOSEE), ActionReponse.ANNULER, etat)
    assert annulee.reponse.etat is EtatReponse.ANNULEE
