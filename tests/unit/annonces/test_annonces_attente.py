"""The waiting list: who gets places, who waits, who is next; nobody is passed over, nothing is oversold."""

import asyncio
import datetime as dt
from functools import partial
from itertools import pairwise, product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.annonces import AnnoncePubliee, EtatAnnonce, EtatReponse, EvenementAnnonce
from contracts.commun import Nature
from contracts.moderation import Issue
from services.annonces import attente, domain, expiration, reponses
from services.annonces.actions import agir_sur_reponse, appliquer, repondre
from services.annonces.domain import Fiche, PlacesInsuffisantes, Refus, TransitionInterdite
from services.annonces.reponses import ActionReponse, Demande, SansEffet
from services.annonces.transitions import FINAUX
from tests.unit.annonces.fabrique import NOW, contenu, decision, fiche
from tests.unit.annonces.memoire import Service

R = EtatReponse


def publiee(places: int, nature: Nature = Nature.BENEVOLAT, **champs: Any) -> Fiche:
    lue = fiche(EtatAnnonce.PUBLIEE, restantes=places, places=places)
    annonce = lue.annonce.model_copy(update={"publiee_at": NOW, "nature": nature, **champs})
    return Fiche(annonce, lue.version_deposee)


def arrive(service: Service, nom: str, quantite: int = 1, *, attendre: bool = True) -> Any:
    demande = Demande(f"r-{nom}", "n1", nom, quantite, attendre=attendre)
    return service.faire(lambda tx: repondre(tx, service.deps, demande))


def agit(service: Service, nom: str, action: ActionReponse) -> Any:
    document = service.magasin.reponses[f"r-{nom}"]
    return service.faire(lambda tx: agir_sur_reponse(tx, service.deps, document, action))


def etats(service: Service) -> dict[str, tuple[str, int | None]]:
    return {reponse.compte_id: (reponse.etat.value, reponse.rang) for reponse in service.magasin.toutes()}


def test_qui_vient_apres_la_derniere_place_attend_son_tour_et_avance_aussitot() -> None:
    service = Service(publiee(1))
    assert arrive(service, "a").place == 1
    assert [arrive(service, nom).rang for nom in "bcd"] == [1, 2, 3]
    assert service.noms() == ["AnnoncePourvue", "ReponseDeposee", *["ReponseEnAttente"] * 3]
    agit(service, "c", ActionReponse.ANNULER)
    assert service.noms() == ["ReponseAnnulee"]
    assert etats(service)["d"] == ("en_attente", 2)
    version = service.magasin.fiche().annonce.version
    agit(service, "a", ActionReponse.ANNULER)
    # One step for those outside: no state in between shows the place as free.
    assert service.noms() == ["ReponseAnnulee", "ReponsePromue", "AnnoncePourvue"]
    assert service.magasin.fiche().annonce.version == version + 1
    assert etats(service)["b"] == ("deposee", None)
    assert etats(service)["d"] == ("en_attente", 1)


def test_un_groupe_n_est_pas_separe_et_une_personne_seule_prend_ce_qu_il_laisse() -> None:
    service = Service(publiee(5))
    assert arrive(service, "a", 3).place == 3
    assert arrive(service, "trois", 3).rang == 1
    assert arrive(service, "seule", 1).place == 4
    agit(service, "seule", ActionReponse.ANNULER)
    assert etats(service)["trois"] == ("en_attente", 1)
    agit(service, "a", ActionReponse.DECLINER)
    assert etats(service)["trois"] == ("deposee", None)
    assert service.magasin.fiche().annonce.places_restantes == 2


def test_d_objets_on_prend_ce_qui_manque_et_la_reponse_dit_combien() -> None:
    service = Service(publiee(5, Nature.MATERIEL))
    arrive(service, "a", 3)
    prise = arrive(service, "b", 3)
    assert (prise.etat, prise.quantite, prise.quantite_demandee, prise.place) == (R.DEPOSEE, 2, 3, 5)
    assert arrive(service, "c", 40).rang == 1
    agit(service, "b", ActionReponse.ANNULER)
    promue = next(reponse for reponse in service.magasin.toutes() if reponse.compte_id == "c")
    assert (promue.etat, promue.quantite, promue.quantite_demandee, promue.place) == (R.DEPOSEE, 2, 40, 5)


def test_qui_n_attend_pas_est_refuse_et_sait_si_attendre_a_un_sens() -> None:
    service = Service(publiee(3))
    arrive(service, "a", 1)
    for quantite, sense in ((3, True), (4, False)):
        with pytest.raises(PlacesInsuffisantes) as caught:
            arrive(service, "b", quantite, attendre=False)
        assert (caught.value.restantes, caught.value.attente) == (2, sense)
    with pytest.raises(SansEffet) as jamais:
        arrive(service, "b", 4)
    assert jamais.value.raison == "trop_de_places"
    arrive(service, "c", 2)
    with pytest.raises(TransitionInterdite):
        arrive(service, "b", attendre=False)
    assert set(etats(service)) == {"a", "c"}


def test_a_correction_with_more_places_serves_those_who_wait_while_its_text_is_read() -> None:
    service = Service(publiee(3))
    arrive(service, "a", 2)
    assert arrive(service, "deux", 2).rang == 1
    lue = service.magasin.fiche()
    texte = contenu(places=5, nature=Nature.BENEVOLAT, titre="Des bras pour samedi")
    corrigee = domain.corriger(lue, texte, version_lue=lue.annonce.version, now=NOW)
    service.faire(lambda tx: appliquer(tx, service.deps, corrigee))
    assert etats(service)["deux"] == ("deposee", None)
    lue = service.magasin.fiche()
    assert (lue.annonce.places_restantes, lue.annonce.titre) == (1, "Une camionnette pour samedi")
    approuvee = domain.appliquer_decision(lue, decision(Issue.APPROUVEE, lue.annonce.version), NOW)
    assert approuvee is not None
    service.faire(lambda tx: appliquer(tx, service.deps, approuvee))
    # An approval: matching looks for those whom the new text concerns.
    assert type(service.emis[-1]) is AnnoncePubliee
    assert service.emis[-1].annonce.titre == "Des bras pour samedi"


@pytest.mark.parametrize("issue", [Issue.REFUSEE, Issue.RETIREE])
def test_un_moderateur_clot_toutes_les_reponses_et_chacun_le_sait(issue: Issue) -> None:
    service = Service(publiee(2))
    for nom in "abcd":
        arrive(service, nom)
    agit(service, "a", ActionReponse.ACCEPTER)
    service.noms()
    version = service.magasin.fiche().annonce.version
    change = domain.appliquer_decision(service.magasin.fiche(), decision(issue, version), NOW)
    assert change is not None
    service.faire(lambda tx: appliquer(tx, service.deps, change))
    closes = [event for event in service.emis if event.type_name() == "ReponseClose"]
    assert {event.reponse.compte_id for event in closes} == set("abcd")
    assert {event.raison.value for event in closes} == {"retiree"}
    # What is stored all at once is what the events say one by one.
    assert {e.reponse.reponse_id: e.reponse for e in closes} == {r.reponse_id: r for r in service.magasin.toutes()}
    assert service.magasin.fiche().en_attente == 0


@pytest.mark.parametrize(
    ("champs", "closes"),
    [
        ({}, {"c"}),
        ({"date_debut": NOW.date()}, {"b", "c"}),
        ({"date_debut": NOW.date(), "date_fin": NOW.date() + dt.timedelta(days=2)}, {"c"}),
        ({"date_debut": NOW.date() + dt.timedelta(days=2)}, {"c"}),
    ],
)
def test_le_dernier_jour_clot_ce_qui_attend_et_ce_qui_ne_peut_plus_etre_accepte(
    champs: dict[str, Any], closes: set[str]
) -> None:
    service = Service(publiee(2, **champs, expire_at=NOW + dt.timedelta(hours=1)))
    for nom in "abc":
        arrive(service, nom)
    agit(service, "a", ActionReponse.ACCEPTER)
    service.noms()
    service.clock.advance(days=1)
    assert asyncio.run(expiration.expirer_une(service.deps, "n1"))
    evenements = [event for event in service.emis if event.type_name() == "ReponseClose"]
    assert {event.reponse.compte_id for event in evenements} == closes
    assert {event.raison.value for event in evenements} == {"expiree"}


@pytest.mark.parametrize("etat", EtatAnnonce)
def test_seule_une_fin_clot_les_reponses(etat: EtatAnnonce) -> None:
    fin = attente.cloture(fiche(etat).annonce, NOW)
    assert (fin is not None) == (etat in FINAUX)


GESTES = st.one_of(
    st.tuples(st.just("arrive"), st.integers(1, 4), st.booleans()),
    st.tuples(st.sampled_from(["annuler", "decliner", "accepter"]), st.integers(0, 30), st.just(True)),
)


@given(st.sampled_from([Nature.BENEVOLAT, Nature.MATERIEL]), st.integers(1, 6), st.lists(GESTES, max_size=40))
def test_rien_n_est_survendu_et_personne_n_est_depasse(
    nature: Nature, places: int, gestes: list[tuple[str, int, bool]]
) -> None:
    service = Service(publiee(places, nature))
    arrivees: list[str] = []
    voulues: dict[str, int] = {}
    for numero, (geste, n, attendre) in enumerate(gestes):
        avant = {reponse.compte_id: reponse for reponse in service.magasin.toutes()}
        version = service.magasin.fiche().annonce.version
        service.noms()
        try:
            if geste == "arrive":
                arrivees.append(f"b{numero}")
                voulues[f"b{numero}"] = n
                arrive(service, f"b{numero}", n, attendre=attendre)
            elif avant:
                agit(service, list(avant)[n % len(avant)], ActionReponse(geste))
        except Refus:
            assert {reponse.compte_id: reponse for reponse in service.magasin.toutes()} == avant
            continue
        lue = service.magasin.fiche()
        actives = service.magasin.toutes(*reponses.ACTIVES)
        attendent = sorted(service.magasin.toutes(R.EN_ATTENTE), key=lambda reponse: reponse.rang or 0)
        pris = sum(reponse.quantite for reponse in actives)
        assert pris == places - lue.annonce.places_restantes <= places
        assert (lue.annonce.etat is EtatAnnonce.POURVUE) == (lue.annonce.places_restantes == 0)
        # The list: without a gap, in order of arrival, and nobody in it fits in what is left.
        assert [reponse.rang for reponse in attendent] == list(range(1, lue.en_attente + 1))
        assert all(arrivees.index(a.compte_id) < arrivees.index(b.compte_id) for a, b in pairwise(attendent))
        assert all(reponse.quantite > attente.plafond(lue, NOW) for reponse in attendent)
        servies = [r for r in actives if avant.get(r.compte_id) is None or avant[r.compte_id].etat is R.EN_ATTENTE]
        for servie, attend in product(servies, attendent):
            plus_tot = arrivees.index(attend.compte_id) < arrivees.index(servie.compte_id)
            assert not (plus_tot and voulues[attend.compte_id] <= voulues[servie.compte_id])
        # Those outside see one step at most, and the state after it.
        dits = [event for event in service.emis if isinstance(event, EvenementAnnonce)]
        assert [event.annonce for event in dits] == ([lue.annonce] if lue.annonce.version > version else [])
        assert lue.annonce.version <= version + 1


def test_a_son_dernier_instant_une_annonce_ne_promet_plus_de_place() -> None:
    lue = publiee(3, expire_at=NOW)
    assert attente.plafond(lue, NOW) == 0
    assert attente.plafond(lue, NOW - dt.timedelta(microseconds=1)) == 3
    assert attente.plafond(publiee(3, places_restantes=0), NOW) == 0


def test_des_places_de_plus_vont_a_la_liste_d_attente_dans_l_ordre() -> None:
    service = Service(publiee(1))
    for nom in "abcd":
        arrive(service, nom)
    service.noms()
    service.faire(lambda tx: appliquer(tx, service.deps, domain.changer_places(service.magasin.fiche(), 3)))
    assert service.noms() == ["ReponsePromue", "ReponsePromue", "AnnoncePourvue"]
    assert {nom: etat for nom, (etat, _) in etats(service).items()} == {
        "a": "deposee",
        "b": "deposee",
        "c": "deposee",
        "d": "en_attente",
    }
    assert etats(service)["d"] == ("en_attente", 1)


def test_une_place_accordee_puis_liberee_va_a_qui_attend_et_le_mot_reste_hors_des_evenements() -> None:
    service = Service(publiee(1))
    arrive(service, "a")
    arrive(service, "b")
    agit(service, "a", ActionReponse.ACCEPTER)
    document = service.magasin.reponses["r-a"]
    service.emis.clear()
    service.faire(
        lambda tx: agir_sur_reponse(tx, service.deps, document, ActionReponse.LIBERER, mot="Désolés, une erreur.")
    )
    liberee = service.emis[0]
    assert (liberee.type_name(), liberee.mot) == ("ReponseLiberee", True)
    assert not any("Désolés" in event.model_dump_json() for event in service.emis)
    assert service.magasin.reponses["r-a"]["mot"] == "Désolés, une erreur."
    assert etats(service)["b"] == ("deposee", None)


def test_qui_a_ete_decline_repond_encore_une_fois_et_pas_davantage() -> None:
    service = Service(publiee(2))
    for essai in range(reponses.DECLINS_MAX):
        demande = Demande(f"r-a{essai}", "n1", "a", 1, attendre=True)
        service.faire(partial(repondre, deps=service.deps, demande=demande))
        document = service.magasin.reponses[f"r-a{essai}"]
        service.faire(partial(agir_sur_reponse, deps=service.deps, document=document, action=ActionReponse.DECLINER))
    with pytest.raises(SansEffet) as refus:
        arrive(service, "a")
    assert refus.value.raison == "deja_decline"
    assert arrive(service, "b").place == 1
