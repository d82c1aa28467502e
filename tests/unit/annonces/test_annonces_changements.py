"""Days or place change: whoever holds or waits for a place is told once, and says whether it still holds."""

import asyncio
import datetime as dt
from typing import Any

import pytest

from contracts.annonces import EtatAnnonce
from contracts.commun import Lieu, Nature
from contracts.moderation import DecisionPrise, Issue
from contracts.notifications import Canal, Intention, ReponseParMessage
from services.annonces import changements_timer, domain
from services.annonces.actions import agir_sur_reponse, appliquer, confirmer, noter_changement, repondre
from services.annonces.domain import Fiche
from services.annonces.handlers import on_decision_prise, on_reponse_par_message
from services.annonces.reponses import ActionReponse, Demande, ReponseImpossible
from tests.unit.annonces.fabrique import NOW, contenu, decision, fiche
from tests.unit.annonces.memoire import Service

SAMEDI, DIMANCHE = dt.date(2026, 3, 14), dt.date(2026, 3, 15)


def service(places: int = 1) -> Service:
    lue = fiche(EtatAnnonce.PUBLIEE, restantes=places, places=places)
    champs = {"publiee_at": NOW, "date_debut": SAMEDI, "nature": Nature.BENEVOLAT}
    return Service(Fiche(lue.annonce.model_copy(update=champs), lue.version_deposee))


def arrive(tenu: Service, nom: str) -> None:
    demande = Demande(f"r-{nom}", "n1", nom, 1, attendre=True)
    tenu.faire(lambda tx: repondre(tx, tenu.deps, demande))


def corrige(tenu: Service, **champs: Any) -> None:
    lue = tenu.magasin.fiche()
    memes = {"nature": Nature.BENEVOLAT, "places": lue.annonce.places, "date_debut": lue.annonce.date_debut}
    texte = contenu(**{**memes, **champs})
    change = domain.corriger(lue, texte, version_lue=lue.annonce.version, now=tenu.clock.now())
    tenu.faire(lambda tx: appliquer(tx, tenu.deps, noter_changement(tenu.deps, lue, change)))


def dit(tenu: Service) -> list[Any]:
    """What is told now, to whom."""
    tenu.emis.clear()
    asyncio.run(changements_timer.dire_dus(tenu.deps))
    return [event for event in tenu.emis if event.type_name() == "CirconstancesChangees"]


def message(tenu: Service, nom: str, intention: Intention) -> list[str]:
    event = ReponseParMessage(
        reponse_id=f"m-{nom}-{intention}",
        annonce_id="n1",
        compte_id=nom,
        canal=Canal.SMS,
        intention=intention,
        recue_at=NOW,
    )
    tenu.emis.clear()
    tenu.faire(lambda tx: on_reponse_par_message(event, tx, tenu.deps))
    return tenu.noms()


def test_qui_tient_ou_attend_une_place_apprend_l_ancienne_et_la_nouvelle_date() -> None:
    tenu = service()
    arrive(tenu, "a")
    arrive(tenu, "b")
    corrige(tenu, date_debut=DIMANCHE)
    assert dit(tenu) == []
    tenu.clock.advance(minutes=10)
    dits = dit(tenu)
    assert {event.reponse.compte_id for event in dits} == {"a", "b"}
    assert {(event.avant.date_debut, event.apres.date_debut) for event in dits} == {(SAMEDI, DIMANCHE)}
    assert dit(tenu) == []


def test_plusieurs_changements_en_dix_minutes_sont_un_seul_message() -> None:
    tenu = service()
    arrive(tenu, "a")
    corrige(tenu, date_debut=DIMANCHE)
    tenu.clock.advance(minutes=9)
    corrige(tenu, a_distance=True)
    tenu.clock.advance(minutes=1)
    (event,) = dit(tenu)
    assert (event.avant.date_debut, event.avant.a_distance) == (SAMEDI, False)
    assert (event.apres.date_debut, event.apres.a_distance) == (DIMANCHE, True)


def test_ce_qui_revient_a_ce_qui_etait_n_est_dit_a_personne() -> None:
    tenu = service()
    arrive(tenu, "a")
    corrige(tenu, date_debut=DIMANCHE)
    corrige(tenu, date_debut=SAMEDI)
    tenu.clock.advance(minutes=10)
    assert dit(tenu) == []
    assert tenu.magasin.fiche().a_dire is None


def test_un_autre_texte_et_d_autres_places_ne_derangent_personne() -> None:
    tenu = service()
    arrive(tenu, "a")
    corrige(tenu, titre="Deux camionnettes", places=4)
    tenu.clock.advance(minutes=10)
    assert dit(tenu) == []


def test_qui_repond_apres_le_changement_le_connait() -> None:
    tenu = service(2)
    arrive(tenu, "a")
    corrige(tenu, date_debut=DIMANCHE)
    tenu.clock.advance(minutes=1)
    arrive(tenu, "b")
    tenu.clock.advance(minutes=10)
    assert [event.reponse.compte_id for event in dit(tenu)] == ["a"]


def test_un_autre_quartier_n_est_dit_qu_une_fois_approuve() -> None:
    tenu = service()
    arrive(tenu, "a")
    corrige(tenu, lieu=Lieu(quartier="lomme", lat=50.65, lon=2.98))
    tenu.clock.advance(minutes=10)
    assert dit(tenu) == []
    version = tenu.magasin.fiche().annonce.version
    prise = DecisionPrise(decision=decision(Issue.APPROUVEE, version))
    tenu.faire(lambda tx: on_decision_prise(prise, tx, tenu.deps))
    tenu.clock.advance(minutes=10)
    (event,) = dit(tenu)
    assert (event.avant.lieu.quartier, event.apres.lieu.quartier) == ("fives", "lomme")


def test_une_annonce_retiree_ne_change_plus() -> None:
    tenu = service()
    arrive(tenu, "a")
    corrige(tenu, date_debut=DIMANCHE)
    tenu.faire(lambda tx: appliquer(tx, tenu.deps, domain.retirer(tenu.magasin.fiche())))
    tenu.clock.advance(minutes=10)
    assert dit(tenu) == []


def test_oui_confirme_une_fois_et_non_donne_la_place_a_qui_attend() -> None:
    tenu = service()
    arrive(tenu, "a")
    arrive(tenu, "b")
    corrige(tenu, date_debut=DIMANCHE)
    tenu.clock.advance(minutes=10)
    dit(tenu)
    assert message(tenu, "b", Intention.REPONDRE) == ["ReponseConfirmee"]
    assert tenu.magasin.reponses["r-b"]["a_confirmer"] is False
    assert message(tenu, "a", Intention.ANNULER) == ["ReponseAnnulee", "ReponsePromue", "AnnoncePourvue"]
    assert tenu.magasin.reponses["r-b"]["etat"] == "deposee"


def test_sans_changement_un_second_oui_ne_change_rien() -> None:
    tenu = service()
    arrive(tenu, "a")
    assert message(tenu, "a", Intention.REPONDRE) == ["ReponseSansEffet"]


def test_une_reponse_finie_ne_se_confirme_plus() -> None:
    tenu = service()
    arrive(tenu, "a")
    document = tenu.magasin.reponses["r-a"]
    tenu.faire(lambda tx: agir_sur_reponse(tx, tenu.deps, document, ActionReponse.ANNULER))
    with pytest.raises(ReponseImpossible):
        tenu.faire(lambda tx: confirmer(tx, tenu.deps, document))
