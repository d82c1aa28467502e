"""What people choose about their messages is what happens, and the ledger tells them why."""

import datetime as dt
from typing import Any

import httpx
import pytest

from kit.ids import new_id
from tests.integration.notifications.conftest import Poste
from tests.integration.notifications.faits import annonce, correspondances, destinataire

CHEMIN = "/v1/mes/preferences"


async def choisir(poste: Poste, compte_id: str, lue: int, **saisie: Any) -> httpx.Response:
    entetes = {**poste.comme(compte_id), "If-Match": f'"{lue}"'}
    return await poste.api.put(CHEMIN, json=saisie, headers=entetes)


async def alerter(poste: Poste, compte_id: str, **autres: Any) -> str:
    de = annonce(**autres)
    await poste.publier(correspondances(de, destinataire(compte_id)))
    return de.annonce_id


async def test_ce_qui_est_choisi_se_relit_et_un_vieux_formulaire_ne_le_defait_pas(poste: Poste) -> None:
    compte_id, _ = await poste.inscrire()
    vue = await poste.api.get(CHEMIN, headers=poste.comme(compte_id))
    assert vue.headers["etag"] == '"0"'
    assert vue.json() == {
        "version": 0,
        "pause_jusqua": None,
        # The platform of these tests has no limit, and nobody has chosen one.
        "budget_semaine": None,
        "canaux": {"email": True, "sms": False, "push": False},
        "telephone": None,
        "heures": {"debut": 0, "fin": 23},
        "cadences": {},
        "refus": [],
    }
    profil_id = new_id()
    choisie = await choisir(
        poste, compte_id, 0, budget_semaine=3, heures={"debut": 9, "fin": 12}, cadences={profil_id: "hebdomadaire"}
    )
    assert (choisie.status_code, choisie.headers["etag"]) == (200, '"1"')
    assert (await choisir(poste, compte_id, 0, budget_semaine=5)).status_code == 412
    assert (await choisir(poste, compte_id, 1, heures=None)).status_code == 200
    vue = await poste.api.get(CHEMIN, headers=poste.comme(compte_id))
    lue = vue.json()
    assert (lue["version"], lue["budget_semaine"], lue["heures"]["debut"]) == (2, 3, 0)
    assert lue["cadences"] == {profil_id: "hebdomadaire"}


async def test_sans_la_version_lue_rien_ne_change(poste: Poste) -> None:
    compte_id, _ = await poste.inscrire()
    reponse = await poste.api.put(CHEMIN, json={"budget_semaine": 1}, headers=poste.comme(compte_id))
    assert reponse.status_code == 428
    assert (await choisir(poste, new_id(), 0, budget_semaine=1)).status_code == 404
    assert (await poste.api.get(CHEMIN, headers=poste.comme())).status_code == 401


@pytest.mark.parametrize(
    ("saisie", "champ"),
    [
        ({"heures": {"debut": 12, "fin": 9}}, "heures"),
        ({"heures": {"debut": 8, "fin": 8}}, "heures"),
        ({"heures": {"debut": 8, "fin": 24}}, "heures.fin"),
        ({"budget_semaine": 51}, "budget_semaine"),
        ({"pause_jusqua": "2020-01-01T00:00:00Z"}, "pause_jusqua"),
        ({"pause_jusqua": "2999-01-01T00:00:00Z"}, "pause_jusqua"),
        ({"cadences": {"p" * 8: "toujours"}}, "cadences.pppppppp"),
        ({"couleur": "bleu"}, "couleur"),
    ],
)
async def test_ce_qui_est_impossible_est_refuse_a_son_champ(poste: Poste, saisie: dict[str, Any], champ: str) -> None:
    compte_id, _ = await poste.inscrire()
    reponse = await choisir(poste, compte_id, 0, **saisie)
    assert reponse.status_code == 422
    assert [erreur["champ"] for erreur in reponse.json()["erreurs"]] == [champ]


async def test_une_pause_tait_meme_l_urgent_et_ce_qui_attendait_jusqu_a_sa_levee(poste: Poste) -> None:
    compte_id, adresse = await poste.inscrire()
    dans_un_mois = (dt.datetime.now(dt.UTC) + dt.timedelta(days=30)).isoformat()
    # It could not be delivered when it was due; then the pause came.
    poste.boite.refuser(adresse, "451 4.3.0 later")
    attend = await alerter(poste, compte_id)
    await poste.dans_l_etat("echec_temporaire", annonce_id=attend)
    assert (await choisir(poste, compte_id, 0, pause_jusqua=dans_un_mois)).status_code == 200
    assert (await poste.dans_l_etat("annulee", annonce_id=attend))["motif"] == "pause"
    for urgent in (False, True):
        annonce_id = await alerter(poste, compte_id, urgent=urgent)
        assert (await poste.dans_l_etat("annulee", annonce_id=annonce_id))["motif"] == "pause"
    assert not poste.boite.mails[adresse]
    assert (await choisir(poste, compte_id, 1, pause_jusqua=None)).status_code == 200
    await poste.dans_l_etat("remis", annonce_id=await alerter(poste, compte_id))


async def test_une_limite_choisie_compte_hors_besoins_urgents(poste: Poste) -> None:
    compte_id, adresse = await poste.inscrire()
    assert (await choisir(poste, compte_id, 0, budget_semaine=1)).status_code == 200
    await poste.dans_l_etat("remis", annonce_id=await alerter(poste, compte_id))
    trop = await poste.ligne(annonce_id=await alerter(poste, compte_id))
    assert (trop["etat"], trop["motif"]) == ("en_file", "budget")
    assert trop["resume_at"] == trop["reprise_at"]
    for _ in range(2):
        await poste.dans_l_etat("remis", annonce_id=await alerter(poste, compte_id, urgent=True))
    assert len(poste.boite.mails[adresse]) == 3
    sans_choix, _ = await poste.inscrire()
    for _ in range(3):
        await poste.dans_l_etat("remis", annonce_id=await alerter(poste, sans_choix))


async def test_aucune_aussitot_veut_dire_que_les_alertes_attendent_le_resume(poste: Poste) -> None:
    compte_id, _ = await poste.inscrire()
    assert (await choisir(poste, compte_id, 0, budget_semaine=0)).json()["budget_semaine"] == 0
    ligne = await poste.ligne(annonce_id=await alerter(poste, compte_id))
    assert (ligne["etat"], ligne["motif"]) == ("en_file", "budget")
    await poste.dans_l_etat("remis", annonce_id=await alerter(poste, compte_id, urgent=True))


async def test_chacun_sait_pourquoi_rien_n_est_parti_et_personne_d_autre(poste: Poste) -> None:
    compte_id, _ = await poste.inscrire(accord=False)
    annonce_id = await alerter(poste, compte_id)
    await poste.dans_l_etat("sans_consentement", annonce_id=annonce_id)
    page = (await poste.api.get("/v1/mes/envois", headers=poste.comme(compte_id))).json()
    [envoi] = page["envois"]
    assert (envoi["annonce_id"], envoi["etat"], envoi["motif"]) == (
        annonce_id,
        "sans_consentement",
        "consentement_absent",
    )
    assert set(envoi) & {"compte_id", "secret", "lot"} == set()
    autre = (await poste.api.get("/v1/mes/envois", headers=poste.comme(new_id()))).json()
    assert autre["envois"] == []


async def test_un_navigateur_recoit_notre_cle_et_seul_un_service_de_push_est_abonne(poste: Poste) -> None:
    compte_id, _ = await poste.inscrire()
    qui = poste.comme(compte_id)
    assert len((await poste.api.get("/v1/push/cle", headers=qui)).json()["cle"]) == 87
    cles = {"p256dh": "B" * 87, "auth": "A" * 22}
    for point in (
        "https://127.0.0.1/x",
        "http://fcm.googleapis.com/x",
        "https://fcm.googleapis.com.exemple.fr/x",
        None,
    ):
        corps = {"subscription": {"endpoint": point, "keys": cles}}
        assert (await poste.api.post("/v1/mes/push", json=corps, headers=qui)).status_code == 422
    corps = {"subscription": {"endpoint": "https://fcm.googleapis.com/fcm/send/x", "keys": cles}}
    assert (await poste.api.post("/v1/mes/push", json=corps, headers=qui)).status_code == 204
    contact = await poste.db.contacts.find_one({"_id": compte_id})
    assert contact is not None
    assert "fcm.googleapis" not in repr(contact)
    assert (await poste.api.delete("/v1/mes/push", headers=qui)).status_code == 204
    assert "push" not in (await poste.db.contacts.find_one({"_id": compte_id}) or {})
