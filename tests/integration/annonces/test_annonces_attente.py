"""Waiting lists, answers by message and reminders on real servers: many at once, in several processes' manner."""

import asyncio
import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from contracts.annonces import Reponse
from contracts.commun import PARIS
from contracts.notifications import Canal, Intention, ReponseParMessage
from kit.clock import FixedClock
from kit.ids import new_id
from kit.messaging.outbox import Tx
from services.annonces import rappels, veille
from services.annonces.actions import rappeler
from services.annonces.store import fiche
from tests.integration.annonces.banc import Banc

PLACES, FOULE = 5, 20


class _Mort(BaseException):
    """The process ends before the commit."""


async def _annonce(banc: Banc, membre: str, **champs: Any) -> str:
    association = await banc.association(membre)
    return str((await banc.publiee(membre, association["association_id"], **champs))["annonce_id"])


async def _attendre(banc: Banc, annonce_id: str, sub: str, **corps: Any) -> Any:
    corps = {"liste_attente": True, **corps}
    return await banc.appeler("POST", f"/v1/annonces/{annonce_id}/reponses", sub, json=corps)


def _message(annonce_id: str, compte_id: str, intention: Intention = Intention.REPONDRE) -> ReponseParMessage:
    return ReponseParMessage(
        reponse_id=new_id(),
        annonce_id=annonce_id,
        compte_id=compte_id,
        canal=Canal.SMS,
        intention=intention,
        recue_at=dt.datetime.now(dt.UTC),
    )


async def _verifier(banc: Banc, annonce_id: str, membre: str) -> dict[str, Reponse]:
    """Five hold the five places, each another one; the others wait, each at a rank of their own. Account → answer."""
    store = banc.app.state.deps.store
    lues = [Reponse.model_validate(row) async for row in store.reponses.find({"annonce_id": annonce_id})]
    assert sorted(r.place or 0 for r in lues if r.etat == "deposee") == list(range(1, PLACES + 1))
    assert sorted(r.rang or 0 for r in lues if r.etat == "en_attente") == list(range(1, FOULE - PLACES + 1))
    assert len(lues) == FOULE
    vue = await banc.lire(annonce_id, membre)
    assert (vue["etat"], vue["places_restantes"], vue["en_attente"]) == ("pourvue", 0, FOULE - PLACES)
    return {reponse.compte_id: reponse for reponse in lues}


async def test_vingt_ensemble_sur_le_site_pour_cinq_places(banc: Banc) -> None:
    annonce_id = await _annonce(banc, "a1", places=PLACES)
    foule = await asyncio.gather(*[_attendre(banc, annonce_id, f"f{n}") for n in range(FOULE)])
    assert {reponse.status_code for reponse in foule} == {201}
    donnees = await _verifier(banc, annonce_id, "a1")

    # Both sides see who waits, and where; the place of one who leaves goes to the first.
    premier = next(compte for compte, reponse in donnees.items() if reponse.rang == 1)
    deuxieme = next(compte for compte, reponse in donnees.items() if reponse.rang == 2)
    partant = next(reponse for reponse in donnees.values() if reponse.place == 2)
    chemin = f"/v1/annonces/{annonce_id}/reponses"
    recues = (await banc.appeler("GET", chemin, "a1", params={"taille": 100})).json()["reponses"]
    assert sum(recue["etat"] == "en_attente" for recue in recues) == FOULE - PLACES
    await banc.appeler("POST", f"/v1/reponses/{partant.reponse_id}/annulation", partant.compte_id)
    promue = (await banc.entendu("ReponsePromue", donnees[premier].reponse_id)).reponse
    assert (promue.etat, promue.compte_id, promue.place) == ("deposee", premier, PLACES)
    siennes = (await banc.appeler("GET", "/v1/mes/reponses", deuxieme)).json()["reponses"]
    assert [(r["etat"], r["rang"]) for r in siennes if r["annonce_id"] == annonce_id] == [("en_attente", 1)]


async def test_vingt_messages_ensemble_pour_cinq_places(banc: Banc) -> None:
    annonce_id = await _annonce(banc, "a2", places=PLACES)
    messages = [_message(annonce_id, f"f{n}") for n in range(FOULE)]
    await asyncio.gather(*[banc.publier(message) for message in messages])
    dites = 0
    for message in messages:
        event = await banc.bientot(
            lambda message=message: next((e for e in banc.evenements if _suite_de(e, message)), None)
        )
        dites += event.type_name() == "ReponseDeposee"
    assert dites == PLACES
    await _verifier(banc, annonce_id, "a2")


def _suite_de(event: Any, message: ReponseParMessage) -> bool:
    return getattr(event, "message_id", None) == message.reponse_id


async def test_messages_et_site_ensemble_pour_cinq_places(banc: Banc) -> None:
    annonce_id = await _annonce(banc, "a3", places=PLACES)
    sur_le_site = [_attendre(banc, annonce_id, f"s{n}") for n in range(FOULE // 2)]
    par_message = [banc.traiter(_message(annonce_id, f"m{n}")) for n in range(FOULE // 2)]
    await asyncio.gather(*sur_le_site, *par_message)
    await _verifier(banc, annonce_id, "a3")


async def test_le_meme_message_deux_fois_fait_une_reponse_et_en_recoit_une(banc: Banc) -> None:
    annonce_id = await _annonce(banc, "a4", places=PLACES)
    message = _message(annonce_id, "q4")
    await asyncio.gather(*[banc.traiter(message) for _ in range(3)])
    await banc.entendu("ReponseDeposee", message.reponse_id)
    deuxieme = _message(annonce_id, "q4")
    await banc.traiter(deuxieme)
    suite = await banc.entendu("ReponseSansEffet", deuxieme.reponse_id)
    assert (suite.raison, suite.reponse.reponse_id, suite.reponse.place) == ("deja_repondu", message.reponse_id, 1)
    annuler = _message(annonce_id, "q4", Intention.ANNULER)
    await banc.traiter(annuler)
    annulee = await banc.entendu("ReponseAnnulee", annuler.reponse_id)
    assert annulee.reponse.reponse_id == message.reponse_id
    assert (await banc.lire(annonce_id))["places_restantes"] == PLACES
    assert sum(_suite_de(event, message) for event in banc.evenements) == 1


async def test_qui_est_refuse_se_voit_offrir_la_liste_d_attente(banc: Banc) -> None:
    annonce_id = await _annonce(banc, "a5", places=1)
    assert (await _attendre(banc, annonce_id, "q5")).json()["etat"] == "deposee"
    refusee = await _attendre(banc, annonce_id, "q6", liste_attente=False)
    assert (refusee.status_code, refusee.json()["liste_attente"]) == (409, True)
    assert "liste d’attente" in refusee.json()["detail"]
    attente = (await _attendre(banc, annonce_id, "q6")).json()
    assert (attente["etat"], attente["rang"]) == ("en_attente", 1)
    assert (await _attendre(banc, annonce_id, "q6")).json()["type"] == "/problemes/deja-repondu"
    trop = await _attendre(banc, annonce_id, "q7", quantite=2)
    assert (trop.status_code, trop.json()["type"]) == (409, "/problemes/trop-de-places")
    # Its author may decline one that waits; a second withdrawal finds nothing to do.
    declinee = await banc.appeler("POST", f"/v1/reponses/{attente['reponse_id']}/refus", "a5")
    assert (declinee.json()["etat"], declinee.json()["rang"]) == ("declinee", None)
    assert (await banc.lire(annonce_id, "a5"))["en_attente"] == 0


async def test_un_retrait_previent_qui_a_repondu_ou_attend(banc: Banc) -> None:
    annonce_id = await _annonce(banc, "a6", places=1)
    ids = [(await _attendre(banc, annonce_id, f"w{n}")).json()["reponse_id"] for n in range(3)]
    await banc.appeler("POST", f"/v1/reponses/{ids[0]}/acceptation", "a6")
    vue = (await banc.appeler("POST", f"/v1/annonces/{annonce_id}/retrait", "a6")).json()
    assert (vue["etat"], vue["en_attente"]) == ("retiree", 0)
    for reponse_id in ids:
        close = await banc.entendu("ReponseClose", reponse_id)
        assert close.raison == "retiree"
        stockee = await banc.app.state.deps.store.reponse(reponse_id)
        assert Reponse.model_validate(stockee) == close.reponse
    siennes = (await banc.appeler("GET", "/v1/mes/reponses", "w1")).json()["reponses"]
    assert [r["etat"] for r in siennes if r["annonce_id"] == annonce_id] == ["close"]


async def test_un_rappel_est_dit_une_fois_quoi_qu_il_arrive_aux_workers(banc: Banc) -> None:
    jour = dt.datetime.now(PARIS).date() + dt.timedelta(days=10)
    annonce_id = await _annonce(banc, "a7", places=PLACES, date_debut=jour.isoformat(), creneaux=[])
    ids = [(await _attendre(banc, annonce_id, f"v{n}")).json()["reponse_id"] for n in range(3)]
    await banc.appeler("POST", f"/v1/reponses/{ids[0]}/acceptation", "a7")
    deps = banc.app.state.deps
    prevu_at = rappels.prevu_at(jour, deps.settings.rappel_heure)
    veille_au_soir = replace(deps, clock=FixedClock(prevu_at))

    async def meurt(tx: Tx) -> None:
        document = await deps.store.reponse(ids[0], tx.session)
        annonce = await deps.store.annonce(annonce_id, tx.session)
        assert await rappeler(tx, veille_au_soir, Reponse.model_validate(document), fiche(annonce), None)
        raise _Mort

    with pytest.raises(_Mort):
        await deps.outbox.run(meurt)
    assert "rappel_pour" not in await deps.store.reponse(ids[0])
    # Several workers at once, and once more: each answer is reminded by one of them.
    nombres = await asyncio.gather(*[veille.rappeler_dues(veille_au_soir) for _ in range(3)])
    assert (sum(nombres), await veille.rappeler_dues(veille_au_soir)) == (3, 0)
    for reponse_id in ids:
        rappel = await banc.entendu("RappelDu", reponse_id)
        assert (rappel.date_debut, rappel.reponse.annonce_id) == (jour, annonce_id)
