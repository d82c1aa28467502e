"""Answers by SMS and by link: each message acts once and has one true outcome."""

from typing import Any

import pytest

from contracts.annonces import EtatAnnonce, ReponseSansEffet
from contracts.notifications import Canal, Intention, ReponseParMessage
from kit.messaging.inbox import AlreadyProcessed
from services.annonces import domain
from services.annonces.actions import appliquer
from services.annonces.domain import Fiche
from services.annonces.handlers import on_reponse_par_message
from tests.unit.annonces.fabrique import NOW, fiche
from tests.unit.annonces.memoire import Service

R = Intention.REPONDRE


def service(etat: EtatAnnonce = EtatAnnonce.PUBLIEE, *, publiee: bool = True, places: int = 2) -> Service:
    lue = fiche(etat, places=places, restantes=places)
    annonce = lue.annonce.model_copy(update={"publiee_at": NOW if publiee else None})
    return Service(Fiche(annonce, lue.version_deposee))


def ecrit(
    la: Service, qui: str, message: str, quantite: int = 1, intention: Intention = R, annonce_id: str = "n1"
) -> Any:
    """The event that answers this message."""
    event = ReponseParMessage(
        reponse_id=message,
        annonce_id=annonce_id,
        compte_id=qui,
        canal=Canal.SMS,
        intention=intention,
        quantite=quantite,
        recue_at=NOW,
    )
    la.noms()
    la.faire(lambda tx: on_reponse_par_message(event, tx, la.deps))
    suites = [e for e in la.emis if getattr(e, "message_id", None) == message or isinstance(e, ReponseSansEffet)]
    assert len(suites) == 1
    return suites[0]


def test_oui_reserve_et_dit_quelle_place() -> None:
    la = service(places=5)
    for n in range(1, 4):
        suite = ecrit(la, f"b{n}", f"m{n}")
    assert suite.type_name() == "ReponseDeposee"
    assert (suite.reponse.place, suite.reponse.places, suite.reponse.canal) == (3, 5, "sms")
    assert (suite.reponse.reponse_id, suite.message_id, suite.message_canal) == ("m3", "m3", "sms")


def test_quand_tout_est_pris_oui_attend_et_dit_a_quel_rang() -> None:
    la = service(places=2)
    ecrit(la, "b1", "m1")
    assert ecrit(la, "b2", "m2", 2).reponse.rang == 1
    suite = ecrit(la, "b3", "m3", 2)
    assert (suite.type_name(), suite.reponse.rang) == ("ReponseEnAttente", 2)
    annulee = ecrit(la, "b2", "m4", intention=Intention.ANNULER)
    assert (annulee.type_name(), annulee.reponse.reponse_id, annulee.message_id) == ("ReponseAnnulee", "m2", "m4")
    libere = ecrit(la, "b1", "m5", intention=Intention.ANNULER)
    assert libere.reponse.reponse_id == "m1"
    promue = next(event for event in la.emis if event.type_name() == "ReponsePromue")
    # Nobody wrote now: it is told on the channel of the answer.
    assert (promue.reponse.reponse_id, promue.reponse.place, promue.message_id) == ("m3", 2, None)
    assert promue.reponse.canal == "sms"


def test_un_second_oui_apprend_ou_il_en_est() -> None:
    la = service(places=1)
    ecrit(la, "b1", "m1")
    ecrit(la, "b2", "m2")
    for qui, message, attendu in (("b1", "m3", ("deposee", 1, None)), ("b2", "m4", ("en_attente", None, 1))):
        suite = ecrit(la, qui, message)
        assert (suite.raison, suite.reponse_id) == ("deja_repondu", message)
        assert (suite.reponse.etat, suite.reponse.place, suite.reponse.rang) == attendu
    assert len(la.magasin.reponses) == 2


@pytest.mark.parametrize(
    ("etat", "raison"),
    [
        (EtatAnnonce.DEPOSEE, "pas_publiee"),
        (EtatAnnonce.A_CORRIGER, "pas_publiee"),
        (EtatAnnonce.REFUSEE, "retiree"),
        (EtatAnnonce.RETIREE, "retiree"),
        (EtatAnnonce.EXPIREE, "expiree"),
    ],
)
def test_une_annonce_qui_ne_prend_pas_de_reponse_dit_pourquoi(etat: EtatAnnonce, raison: str) -> None:
    suite = ecrit(service(etat), "b1", "m1")
    assert (suite.raison, suite.annonce_titre, suite.canal) == (raison, "Une camionnette pour samedi", "sms")


@pytest.mark.parametrize("intention", Intention)
def test_ce_qui_n_a_jamais_ete_publie_ne_dit_rien_de_soi(intention: Intention) -> None:
    suite = ecrit(service(EtatAnnonce.DEPOSEE, publiee=False), "b1", "m1", intention=intention)
    assert (suite.annonce_titre, suite.places) == (None, None)
    inconnue = ecrit(service(), "b1", "m1", intention=intention, annonce_id="nulle-part")
    assert (inconnue.raison, inconnue.annonce_titre) == (suite.raison, None)


def test_trop_de_places_sa_propre_annonce_ou_rien_a_annuler_sont_dits() -> None:
    la = service()
    assert (ecrit(la, "b1", "m1", 3).raison, la.emis[-1].places) == ("trop_de_places", 2)
    assert ecrit(la, "c1", "m2").raison == "sa_propre_annonce"
    assert ecrit(la, "b1", "m3", intention=Intention.ANNULER).raison == "aucune_reponse"
    assert la.magasin.reponses == {}


def test_le_meme_message_dans_un_autre_evenement_agit_une_fois() -> None:
    la = service()
    ecrit(la, "b1", "m1")
    with pytest.raises(AlreadyProcessed):
        ecrit(la, "b1", "m1")
    assert len(la.magasin.reponses) == 1
    # Also one that had no effect: what was said stays said.
    assert ecrit(la, "b2", "m2", 9).raison == "trop_de_places"
    with pytest.raises(AlreadyProcessed):
        ecrit(la, "b2", "m2", 9)


def test_apres_un_retrait_il_ne_reste_rien_a_annuler() -> None:
    la = service()
    ecrit(la, "b1", "m1")
    la.faire(lambda tx: appliquer(tx, la.deps, domain.retirer(la.magasin.fiche())))
    assert ecrit(la, "b1", "m2", intention=Intention.ANNULER).raison == "aucune_reponse"
