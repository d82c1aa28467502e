"""Preferences, phone, messages: the pages and the API, and what they do to the consents."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from aiohttp import web

from gateway.sessions import COOKIE
from tests.integration.gateway.banc import Banc, Call

HERE = {"sec-fetch-site": "same-origin"}
TELEPHONE = "06 •• •• •• 78"


def preferences(**changed: Any) -> dict[str, Any]:
    return {
        "version": 0,
        "pause_jusqua": None,
        "budget_semaine": 2,
        "canaux": {"email": False, "sms": False, "push": False},
        "telephone": None,
        "heures": {"debut": 8, "fin": 20},
        "cadences": {},
        "refus": [],
        **changed,
    }


PROFIL = {
    "profil_id": "p1",
    "actif": True,
    "sens": "besoin",
    "rayon_km": 5.0,
    "lieu": {"quartier": "wazemmes"},
    "categories": [],
    "natures": ["materiel"],
    "creneaux": ["samedi-matin"],
}


def formulaire(**changed: Any) -> dict[str, Any]:
    return {
        "version": "0",
        "cases": ["email"],
        "cadence-p1": "quotidien",
        "budget_semaine": "3",
        "heures_debut": "9",
        "heures_fin": "19",
        "pause_jusqua": "",
        **changed,
    }


@pytest.fixture
async def navigateur(banc: Banc) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that is logged in, at its own address: codes by SMS are counted per address."""
    banc.services["notifications"].say("GET", "/v1/mes/preferences", preferences())
    banc.services["matching"].say("GET", "/v1/profils", {"profils": [PROFIL]})
    address = f"198.18.{secrets.randbelow(256)}.{secrets.randbelow(256)}"
    async with banc.visitor(address, **HERE) as client:
        _, token = await banc.login(client)
        client.cookies.set(COOKIE, token, domain="place.test", path="/")
        yield client


async def accords(client: httpx.AsyncClient) -> dict[str, tuple[bool, str]]:
    """channel → (given, proof)."""
    mine = (await client.get("/v1/compte")).json()
    return {c["canal"]: (c["accorde"], c["preuve"]) for c in mine["consentements"]}


async def test_la_page_se_remplit_et_s_enregistre_sans_javascript(banc: Banc, navigateur: httpx.AsyncClient) -> None:
    shown = await navigateur.get("/mon-compte/preferences")
    assert shown.status_code == 200
    # Nobody has agreed to anything yet: no box is ticked in advance.
    assert " checked" not in shown.text
    assert "Wazemmes" in shown.text
    assert 'id="notifications" aria-labelledby="t-notifications" hidden' in shown.text
    banc.services["notifications"].say("PUT", "/v1/mes/preferences", preferences(version=1))
    saved = await navigateur.post("/mon-compte/preferences", data=formulaire(**{"canal-email": "oui"}))
    assert (saved.status_code, saved.headers["location"]) == (
        303,
        "/mon-compte/preferences?message=preferences-enregistrees",
    )
    (call,) = banc.services["notifications"].called("PUT", "/v1/mes/preferences")
    assert call.headers["if-match"] == '"0"'
    assert call.json == {
        "pause_jusqua": None,
        "budget_semaine": 3,
        "heures": {"debut": 9, "fin": 19},
        "cadences": {"p1": "quotidien"},
    }
    assert await accords(navigateur) == {"email": (True, "préférences d’alerte")}


async def test_une_case_videe_retire_l_accord_avec_sa_preuve_et_notifications_le_sait(
    banc: Banc, navigateur: httpx.AsyncClient
) -> None:
    await navigateur.post("/mon-compte/preferences", data=formulaire(**{"canal-email": "oui"}))
    await navigateur.post("/mon-compte/preferences", data=formulaire())
    assert await accords(navigateur) == {"email": (False, "préférences d’alerte")}
    told = banc.services["notifications"].called("PUT", "/v1/interne/contacts/.*")[-1]
    assert [(c["canal"], c["accorde"]) for c in told.json["consentements"]] == [("email", False)]


async def test_apres_un_stop_recocher_la_case_donne_un_accord_plus_jeune(
    banc: Banc, navigateur: httpx.AsyncClient
) -> None:
    email_on = formulaire(**{"canal-email": "oui"})
    await navigateur.post("/mon-compte/preferences", data=email_on)
    first = banc.services["notifications"].called("PUT", "/v1/interne/contacts/.*")[-1].json
    # Notifications still says « off »: a word came to it that the gateway does not know of.
    await navigateur.post("/mon-compte/preferences", data=email_on)
    second = banc.services["notifications"].called("PUT", "/v1/interne/contacts/.*")[-1].json
    assert second["version"] == first["version"] + 1
    assert second["consentements"][0]["at"] > first["consentements"][0]["at"]
    banc.services["notifications"].say(
        "GET", "/v1/mes/preferences", preferences(canaux={"email": True, "sms": False, "push": False})
    )
    await navigateur.post("/mon-compte/preferences", data=email_on)
    assert banc.services["notifications"].called("PUT", "/v1/interne/contacts/.*")[-1].json == second


async def test_ce_qui_est_refuse_est_montre_a_son_champ_et_ne_change_aucun_accord(
    banc: Banc, navigateur: httpx.AsyncClient
) -> None:
    problem = {
        "type": "/problemes/invalide",
        "title": "Non",
        "detail": "Non",
        "erreurs": [{"champ": "pause_jusqua", "message": "La pause finit à une date à venir."}],
    }
    banc.services["notifications"].say("PUT", "/v1/mes/preferences", problem, 422)
    refused = await navigateur.post(
        "/mon-compte/preferences", data=formulaire(pause_jusqua="2020-01-01", **{"canal-email": "oui"})
    )
    assert refused.status_code == 422
    assert 'href="#pause_jusqua">La pause finit' in refused.text
    assert 'aria-describedby="pause_jusqua-aide pause_jusqua-erreur" aria-invalid="true"' in refused.text
    assert 'value="2020-01-01"' in refused.text
    assert await accords(navigateur) == {}


async def test_ce_qui_a_change_entre_temps_n_est_pas_ecrase(banc: Banc, navigateur: httpx.AsyncClient) -> None:
    banc.services["notifications"].say("PUT", "/v1/mes/preferences", {"title": "Version dépassée"}, 412)
    banc.services["notifications"].say("GET", "/v1/mes/preferences", preferences(version=4, budget_semaine=7))
    conflict = await navigateur.post("/mon-compte/preferences", data=formulaire())
    assert conflict.status_code == 409
    assert "ont changé entre-temps" in conflict.text
    assert 'name="version" value="4"' in conflict.text
    assert '<option value="7" selected>' in conflict.text


async def test_une_pause_se_voit_et_se_finit(banc: Banc, navigateur: httpx.AsyncClient) -> None:
    banc.services["notifications"].say(
        "GET", "/v1/mes/preferences", preferences(version=2, pause_jusqua="2126-12-24T14:32:00Z")
    )
    shown = await navigateur.get("/mon-compte/preferences")
    assert "elles reprennent le 24 décembre 2126" in shown.text
    ended = await navigateur.post("/mon-compte/preferences/reprise")
    assert ended.headers["location"].endswith("message=pause-finie")
    (call,) = banc.services["notifications"].called("PUT", "/v1/mes/preferences")
    assert (call.json, call.headers["if-match"]) == ({"pause_jusqua": None}, '"2"')


async def test_sans_matching_le_reste_se_change(banc: Banc, navigateur: httpx.AsyncClient) -> None:
    banc.services["matching"].say("GET", "/v1/profils", {}, 503)
    banc.services["notifications"].say("GET", "/v1/mes/preferences", preferences(cadences={"p1": "hebdomadaire"}))
    assert "Leur rythme ne change pas" in (await navigateur.get("/mon-compte/preferences")).text
    await navigateur.post("/mon-compte/preferences", data=formulaire())
    (call,) = banc.services["notifications"].called("PUT", "/v1/mes/preferences")
    assert call.json["cadences"] == {"p1": "hebdomadaire"}


async def test_un_numero_se_verifie_par_un_code_qui_vaut_accord(banc: Banc, navigateur: httpx.AsyncClient) -> None:
    notifications = banc.services["notifications"]
    notifications.say("POST", "/v1/interne/telephones", {}, 202)
    asked = await navigateur.post("/mon-compte/telephone/numero", data={"numero": " 06 12 34 56 78 "})
    assert asked.headers["location"] == "/mon-compte/telephone"
    (call,) = notifications.called("POST", "/v1/interne/telephones")
    compte_id = (await navigateur.get("/v1/compte")).json()["compte_id"]
    assert call.json == {"compte_id": compte_id, "numero": "06 12 34 56 78"}
    assert call.roles == {"systeme"}
    page = await navigateur.get("/mon-compte/telephone")
    assert "34 56" not in page.text
    wrong = {"title": "Non", "detail": "Non", "erreurs": [{"champ": "code", "message": "Ce code n’est pas le bon."}]}
    path = f"/v1/interne/telephones/{compte_id}/confirmation"
    notifications.say("POST", path, wrong, 422)
    refused = await navigateur.post("/mon-compte/telephone", data={"code": "000000"})
    assert refused.status_code == 422
    assert "Ce code n’est pas le bon." in refused.text
    assert await accords(navigateur) == {}
    notifications.say("POST", path, None, 204)
    confirmed = await navigateur.post("/mon-compte/telephone", data={"code": "123 456"})
    assert confirmed.headers["location"] == "/mon-compte/preferences?message=telephone-verifie#telephone"
    assert notifications.called("POST", path)[-1].json == {"code": "123456"}
    assert await accords(navigateur) == {"sms": (True, "code reçu par SMS")}


async def test_un_numero_refuse_est_explique_a_cote_de_son_champ(banc: Banc, navigateur: httpx.AsyncClient) -> None:
    problem = {"title": "Non", "detail": "Non", "erreurs": [{"champ": "numero", "message": "C’est un numéro fixe."}]}
    banc.services["notifications"].say("POST", "/v1/interne/telephones", problem, 422)
    refused = await navigateur.post("/mon-compte/telephone/numero", data={"numero": "03 20 00 00 00"})
    assert refused.status_code == 422
    assert 'href="#numero">C’est un numéro fixe.' in refused.text
    assert 'value="03 20 00 00 00"' in refused.text


async def test_retirer_le_numero_retire_l_accord_d_abord(banc: Banc, navigateur: httpx.AsyncClient) -> None:
    notifications = banc.services["notifications"]
    compte_id = (await navigateur.get("/v1/compte")).json()["compte_id"]
    assert (await navigateur.post("/v1/mes/telephone/confirmation", json={"code": "123456"})).status_code == 204
    assert (await navigateur.delete("/v1/mes/telephone")).status_code == 204
    assert await accords(navigateur) == {"sms": (False, "numéro de téléphone retiré")}
    order = [(c.method, c.path) for c in notifications.calls][-2:]
    assert order == [("PUT", f"/v1/interne/contacts/{compte_id}"), ("DELETE", f"/v1/interne/telephones/{compte_id}")]


async def test_cinq_codes_par_sms_par_heure_et_pas_plus(banc: Banc, navigateur: httpx.AsyncClient) -> None:
    codes = [(await navigateur.post("/v1/mes/telephone", json={"numero": "0612345678"})).status_code for _ in range(6)]
    assert codes == [202] * 5 + [429]
    assert len(banc.services["notifications"].called("POST", "/v1/interne/telephones")) == 5
    shown = await navigateur.post("/mon-compte/telephone/numero", data={"numero": "0612345678"})
    assert shown.status_code == 429
    assert "Trop de demandes" in shown.text


async def test_par_l_api_les_canaux_font_les_accords_mais_pas_sans_numero_verifie(
    banc: Banc, navigateur: httpx.AsyncClient
) -> None:
    notifications = banc.services["notifications"]
    sent = {"canaux": {"email": True, "sms": True}}
    path, version = "/v1/mes/preferences", {"if-match": '"0"'}
    notifications.say("PUT", path, {"title": "Version dépassée"}, 412)
    assert (await navigateur.put(path, json=sent, headers=version)).status_code == 412
    assert await accords(navigateur) == {}
    notifications.say("PUT", path, preferences(version=1), etag='"1"')
    notifications.say("GET", path, preferences(version=1), etag='"1"')
    saved = await navigateur.put(path, json=sent, headers=version)
    assert (saved.status_code, saved.headers["etag"]) == (200, '"1"')
    assert await accords(navigateur) == {"email": (True, "préférences d’alerte")}
    notifications.say("GET", path, preferences(telephone=TELEPHONE))
    await navigateur.put(path, json=sent, headers=version)
    assert (await accords(navigateur))["sms"] == (True, "préférences d’alerte")
    await navigateur.put(path, json={"canaux": {"sms": False}}, headers=version)
    assert (await accords(navigateur))["sms"] == (False, "préférences d’alerte")


async def test_le_navigateur_qui_s_abonne_donne_l_accord_et_le_retire(
    banc: Banc, navigateur: httpx.AsyncClient
) -> None:
    banc.services["notifications"].say("POST", "/v1/mes/push", None, 204)
    banc.services["notifications"].say("DELETE", "/v1/mes/push", None, 204)
    body = {"subscription": {"endpoint": "https://push.exemple.fr/x"}}
    assert (await navigateur.post("/v1/mes/push", json=body)).status_code == 204
    assert await accords(navigateur) == {"push": (True, "autorisation du navigateur")}
    # A page that was made before shows no box for it: saving it changes nothing there.
    await navigateur.post("/mon-compte/preferences", data=formulaire())
    assert (await accords(navigateur))["push"] == (True, "autorisation du navigateur")
    assert (await navigateur.delete("/v1/mes/push")).status_code == 204
    assert (await accords(navigateur))["push"] == (False, "notifications du navigateur arrêtées")


async def test_une_alerte_refusee_ne_laisse_aucun_accord(banc: Banc, navigateur: httpx.AsyncClient) -> None:
    banc.services["matching"].say("POST", "/v1/profils", {"title": "Non", "detail": "Non"}, 422)
    assert (await navigateur.post("/v1/profils", json={})).status_code == 422
    assert (await navigateur.post("/alertes/nouvelle", data={})).status_code == 422
    assert await accords(navigateur) == {}
    told = banc.services["notifications"].called("PUT", "/v1/interne/contacts/.*")[-1]
    assert told.json["consentements"] == []


async def test_une_alerte_refusee_laisse_l_accord_d_avant_et_le_refus_d_avant(
    banc: Banc, navigateur: httpx.AsyncClient
) -> None:
    banc.services["matching"].say("POST", "/v1/profils", {"profil_id": "p1"}, 201)
    await navigateur.post("/v1/profils", json={})
    banc.services["matching"].say("POST", "/v1/profils", {"title": "Non"}, 422)
    await navigateur.post("/v1/profils", json={})
    assert await accords(navigateur) == {"email": (True, "abonnement aux alertes")}
    await navigateur.post("/mon-compte/preferences", data=formulaire())
    await navigateur.post("/v1/profils", json={})
    assert await accords(navigateur) == {"email": (False, "préférences d’alerte")}


async def test_une_issue_inconnue_garde_l_accord(banc: Banc, navigateur: httpx.AsyncClient) -> None:
    banc.services["matching"].say("POST", "/v1/profils", {}, 503)
    assert (await navigateur.post("/v1/profils", json={})).status_code == 503
    assert await accords(navigateur) == {"email": (True, "abonnement aux alertes")}


async def test_l_accord_est_connu_avant_l_alerte_et_un_refus_simultane_ne_le_reprend_pas(
    banc: Banc, navigateur: httpx.AsyncClient
) -> None:
    known: list[bool] = []

    def alternate(call: Call) -> web.Response:
        told = banc.services["notifications"].called("PUT", f"/v1/interne/contacts/{call.sub}")[-1]
        known.append([c["accorde"] for c in told.json["consentements"]] == [True])
        if call.json["bon"]:
            return web.json_response({"profil_id": "p1"}, status=201)
        return web.json_response({"title": "Non"}, status=422)

    banc.services["matching"].answers.insert(0, ("POST", "/v1/profils", alternate))
    bodies = [{"bon": n % 2 == 1} for n in range(6)]
    answers = await asyncio.gather(*(navigateur.post("/v1/profils", json=body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [201] * 3 + [422] * 3
    assert known == [True] * 6
    assert await accords(navigateur) == {"email": (True, "abonnement aux alertes")}


async def test_chaque_message_dit_par_ou_quand_pourquoi_et_ce_qu_il_est_devenu(
    banc: Banc, navigateur: httpx.AsyncClient
) -> None:
    base = {"genre": "alerte", "profil_id": "p1", "motif": None, "cree_at": "2026-12-04T10:00:00Z", "remis_at": None}
    envois = [
        {
            **base,
            "canal": "sms",
            "objet": "Une <b>remorque</b>",
            "annonce_id": "a1",
            "pourquoi": "Wazemmes, samedi matin",
            "etat": "livre",
            "remis_at": "2026-12-04T10:00:01Z",
        },
        {
            **base,
            "canal": "email",
            "objet": "B",
            "annonce_id": "a2",
            "pourquoi": "",
            "etat": "annulee",
            "motif": "budget",
        },
        {
            **base,
            "canal": "email",
            "objet": "C",
            "annonce_id": None,
            "pourquoi": "",
            "etat": "regroupee",
            "resume_at": "2026-12-05T07:00:00Z",
        },
    ]
    banc.services["notifications"].say("GET", "/v1/mes/envois", {"envois": envois, "total": 43})
    page = await navigateur.get("/mon-compte/messages?page=2")
    assert page.status_code == 200
    for text in ("Une &lt;b&gt;remorque&lt;/b&gt;", "SMS, le 4 décembre à 11:00", "Arrivé", "Wazemmes, samedi matin"):
        assert text in page.text
    assert "assez d’alertes cette semaine" in page.text
    assert "dans votre résumé du 5 décembre 2026" in page.text
    assert "Page 2 sur 3" in page.text
    assert banc.services["notifications"].called("GET", "/v1/mes/envois")[0].query == "page=2&taille=20"


async def test_les_pages_d_un_compte_ramenent_a_elles_apres_la_connexion(banc: Banc) -> None:
    for path in ("/mon-compte/preferences", "/mon-compte/messages"):
        answer = await banc.client.get(path, headers={"accept": "text/html"})
        assert answer.headers["location"] == f"/connexion?retour={path}"
