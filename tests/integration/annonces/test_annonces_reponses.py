"""Answers: places are reserved once, freed, and never oversold."""

import asyncio
from typing import Any

from kit.ids import new_id
from tests.integration.annonces.banc import Banc


async def _annonce(banc: Banc, membre: str, places: int) -> str:
    association = await banc.association(membre)
    return str((await banc.publiee(membre, association["association_id"], places=places))["annonce_id"])


async def _repondre(banc: Banc, annonce_id: str, sub: str, **corps: Any) -> Any:
    return await banc.appeler("POST", f"/v1/annonces/{annonce_id}/reponses", sub, json=corps)


async def test_deux_ensemble_pour_la_derniere_place_un_seul_l_obtient(banc: Banc) -> None:
    annonce_id = await _annonce(banc, "r1", 1)
    deux = await asyncio.gather(*[_repondre(banc, annonce_id, f"b{n}") for n in range(2)])
    assert sorted(reponse.status_code for reponse in deux) == [201, 409]
    vue = await banc.lire(annonce_id)
    assert (vue["etat"], vue["places_restantes"]) == ("pourvue", 0)
    await banc.entendu("AnnoncePourvue", annonce_id)


async def test_une_foule_ne_prend_jamais_plus_qu_il_n_y_a(banc: Banc) -> None:
    annonce_id = await _annonce(banc, "r2", 5)
    foule = await asyncio.gather(*[_repondre(banc, annonce_id, f"f{n}", quantite=2) for n in range(6)])
    assert sum(reponse.status_code == 201 for reponse in foule) == 2
    refusees = [reponse.json() for reponse in foule if reponse.status_code == 409]
    assert {refusee["places_restantes"] for refusee in refusees} == {1}
    assert (await banc.lire(annonce_id))["places_restantes"] == 1


async def test_acceptee_puis_reprise_la_place_est_de_nouveau_libre(banc: Banc) -> None:
    annonce_id = await _annonce(banc, "r3", 1)
    deposee = await _repondre(banc, annonce_id, "b3", message="Je peux venir à 9 h.")
    assert deposee.status_code == 201
    reponse_id = deposee.json()["reponse_id"]
    event = await banc.entendu("ReponseDeposee", reponse_id)
    assert event.reponse.destinataires == ["r3"]
    assert "9 h" not in event.model_dump_json()

    recues = (await banc.appeler("GET", f"/v1/annonces/{annonce_id}/reponses", "r3")).json()
    assert recues["reponses"][0]["message"] == "Je peux venir à 9 h."
    assert "compte_id" not in recues["reponses"][0]
    chemin = f"/v1/reponses/{reponse_id}"
    assert (await banc.appeler("POST", f"{chemin}/acceptation", "b3")).status_code == 404
    assert (await banc.appeler("POST", f"{chemin}/annulation", "r3")).status_code == 404
    for _ in range(2):
        acceptee = await banc.appeler("POST", f"{chemin}/acceptation", "r3")
        assert (acceptee.status_code, acceptee.json()["etat"]) == (200, "acceptee")
    await banc.entendu("ReponseAcceptee", reponse_id)

    annulee = await banc.appeler("POST", f"{chemin}/annulation", "b3")
    assert annulee.json()["etat"] == "annulee"
    vue = await banc.lire(annonce_id)
    assert (vue["etat"], vue["places_restantes"]) == ("publiee", 1)
    assert (await banc.entendu("AnnonceModifiee", annonce_id)).annonce.places_restantes == 1
    assert (await _repondre(banc, annonce_id, "b3")).status_code == 201


async def test_qui_peut_repondre_le_peut_et_les_autres_non(banc: Banc) -> None:
    annonce_id = await _annonce(banc, "r4", 3)
    assert (await _repondre(banc, annonce_id, "r4")).status_code == 403
    assert (await _repondre(banc, annonce_id, "")).status_code == 401
    assert (await _repondre(banc, new_id(), "b4")).status_code == 404
    assert (await _repondre(banc, annonce_id, "b4")).status_code == 201
    encore = await _repondre(banc, annonce_id, "b4")
    assert (encore.status_code, encore.json()["type"]) == (409, "/problemes/deja-repondu")
    assert (await banc.appeler("GET", "/v1/mes/reponses", "b4")).json()["total"] == 1
    for mauvaise in ({"page": 0}, {"taille": 101}, {"inconnu": 1}):
        assert (await banc.appeler("GET", "/v1/mes/reponses", "b4", params=mauvaise)).status_code == 422


async def test_declinee_la_place_est_de_nouveau_libre(banc: Banc) -> None:
    annonce_id = await _annonce(banc, "r5", 2)
    reponse_id = (await _repondre(banc, annonce_id, "b5")).json()["reponse_id"]
    declinee = await banc.appeler("POST", f"/v1/reponses/{reponse_id}/refus", "r5")
    assert declinee.json()["etat"] == "declinee"
    assert (await banc.lire(annonce_id))["places_restantes"] == 2
    assert (await banc.appeler("POST", f"/v1/reponses/{reponse_id}/annulation", "b5")).status_code == 409


async def test_une_annonce_retiree_ne_prend_pas_de_reponse(banc: Banc) -> None:
    annonce_id = await _annonce(banc, "r6", 2)
    reponse_id = (await _repondre(banc, annonce_id, "b6")).json()["reponse_id"]
    retiree = await banc.appeler("POST", f"/v1/annonces/{annonce_id}/retrait", "r6")
    assert retiree.json()["etat"] == "retiree"
    assert (await _repondre(banc, annonce_id, "b7")).status_code == 404
    assert (await banc.appeler("POST", f"/v1/reponses/{reponse_id}/acceptation", "r6")).status_code == 409


async def test_une_place_accordee_est_liberee_avec_un_mot_que_seule_la_personne_lit(banc: Banc) -> None:
    annonce_id = await _annonce(banc, "r7", 1)
    reponse_id = (await _repondre(banc, annonce_id, "b7")).json()["reponse_id"]
    attend = (await _repondre(banc, annonce_id, "b8", liste_attente=True)).json()
    chemin = f"/v1/reponses/{reponse_id}"
    await banc.appeler("POST", f"{chemin}/acceptation", "r7")
    assert (await banc.appeler("POST", f"{chemin}/refus", "b8", json={"mot": "x"})).status_code == 404
    for mauvais in ({"mot": 3}, {"autre": ""}, {"mot": "x" * 1001}):
        assert (await banc.appeler("POST", f"{chemin}/refus", "r7", json=mauvais)).status_code == 422
    liberee = await banc.appeler("POST", f"{chemin}/refus", "r7", json={"mot": "Nous sommes déjà complets, désolés."})
    assert (liberee.status_code, liberee.json()["etat"]) == (200, "declinee")
    event = await banc.entendu("ReponseLiberee", reponse_id)
    assert (event.mot, event.reponse.compte_id) == (True, "b7")
    assert "désolés" not in event.model_dump_json()
    assert (await banc.appeler("GET", "/v1/mes/reponses", "b7")).json()["reponses"][0]["mot"].endswith("désolés.")
    assert (await banc.entendu("ReponsePromue", attend["reponse_id"])).reponse.etat == "deposee"
    # A second click says the same.
    assert (await banc.appeler("POST", f"{chemin}/refus", "r7")).status_code == 200


async def test_qui_est_decline_repond_encore_une_fois_et_pas_davantage(banc: Banc) -> None:
    annonce_id = await _annonce(banc, "r9", 2)
    for _ in range(2):
        reponse_id = (await _repondre(banc, annonce_id, "b9")).json()["reponse_id"]
        assert (await banc.appeler("POST", f"/v1/reponses/{reponse_id}/refus", "r9")).status_code == 200
    encore = await _repondre(banc, annonce_id, "b9")
    assert (encore.status_code, encore.json()["type"]) == (409, "/problemes/deja-decline")


async def test_des_places_de_plus_et_une_course_de_reponses_ne_survendent_pas(banc: Banc) -> None:
    annonce_id = await _annonce(banc, "r10", 1)
    chemin = f"/v1/annonces/{annonce_id}/places"
    assert (await banc.appeler("POST", chemin, "intrus", json={"places": 4})).status_code == 404
    foule = [_repondre(banc, annonce_id, f"g{n}", liste_attente=True) for n in range(8)]
    places = [banc.appeler("POST", chemin, "r10", json={"places": 4}) for _ in range(2)]
    resultats = await asyncio.gather(*foule, *places)
    assert {resultat.status_code for resultat in resultats} <= {200, 201}
    vue = await banc.lire(annonce_id, "r10")
    assert (vue["etat"], vue["places"], vue["places_restantes"], vue["en_attente"]) == ("pourvue", 4, 0, 4)
    recues = (await banc.appeler("GET", f"/v1/annonces/{annonce_id}/reponses", "r10")).json()["reponses"]
    assert sorted(r["etat"] for r in recues) == ["deposee"] * 4 + ["en_attente"] * 4
    trop_peu = await banc.appeler("POST", chemin, "r10", json={"places": 3})
    assert (trop_peu.status_code, trop_peu.json()["erreurs"][0]["champ"]) == (422, "places")
