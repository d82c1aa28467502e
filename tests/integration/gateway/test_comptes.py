"""Codes, sessions, roles, consent, erasure: on real Mongo and Redis."""

import datetime as dt

import pytest

from contracts import references
from gateway.sessions import COOKIE
from kit.ids import new_id
from tests.integration.gateway.banc import Banc


def adresse() -> str:
    return f"{new_id()}@exemple.fr"


async def test_la_premiere_connexion_cree_le_compte_et_confie_l_adresse_a_notifications(banc: Banc) -> None:
    email = adresse()
    asked = await banc.client.post("/v1/comptes/code", json={"email": f"  {email.upper()} "})
    assert asked.status_code == 202
    opened = await banc.client.post("/v1/sessions", json={"email": email, "code": banc.code_for(email)})
    assert opened.status_code == 201
    found = opened.json()
    assert found["roles"] == []
    assert dt.datetime.fromisoformat(found["expire_at"]) > dt.datetime.now(dt.UTC) + dt.timedelta(days=29)
    cookie = opened.headers["set-cookie"]
    for part in (f"{COOKIE}=", "HttpOnly", "Secure", "Path=/", "samesite=lax"):
        assert part.lower() in cookie.lower()
    assert "domain" not in cookie.lower()

    (contact,) = banc.services["notifications"].called("PUT", f"/v1/interne/contacts/{found['compte_id']}")
    assert contact.json == {"email": email, "consentements": [], "version": 1}
    assert contact.roles == {"systeme"}

    mine = await banc.client.get("/v1/compte", headers={"authorization": f"Bearer {found['jeton']}"})
    assert mine.json()["compte_id"] == found["compte_id"]


async def test_l_adresse_n_est_gardee_nulle_part(banc: Banc) -> None:
    email = adresse()
    compte_id, _ = await banc.login(banc.client, email)
    db = banc.app.state.deps.gestion._comptes.rows.database
    assert db.name == "gateway"
    for name in await db.list_collection_names():
        assert await db[name].count_documents({"$expr": {"$eq": ["$_id", email]}}) == 0
    row = await db.comptes.find_one({"_id": compte_id})
    assert email not in str(row)
    assert email.partition("@")[0] not in str(row)


async def test_la_meme_adresse_est_le_meme_compte(banc: Banc) -> None:
    email = adresse()
    first, _ = await banc.login(banc.client, email)
    second, _ = await banc.login(banc.client, email.capitalize())
    assert first == second
    # Known already: the address is not handed over again.
    assert len(banc.services["notifications"].called("PUT", f"/v1/interne/contacts/{first}")) == 1


async def test_la_reponse_ne_dit_pas_si_un_compte_existe(banc: Banc) -> None:
    email = adresse()
    unknown = await banc.client.post("/v1/comptes/code", json={"email": email})
    await banc.bearer(banc.client, email)
    known = await banc.client.post("/v1/comptes/code", json={"email": email})
    assert unknown.status_code == known.status_code == 202
    # Random each time, of one length.
    tokens = [answer.json().pop("demande") for answer in (unknown, known)]
    assert len(set(tokens)) == 2
    assert len(unknown.content) == len(known.content)
    assert unknown.json()["message"] == known.json()["message"]


async def test_un_code_sert_une_fois(banc: Banc) -> None:
    email = adresse()
    await banc.bearer(banc.client, email)
    again = await banc.client.post("/v1/sessions", json={"email": email, "code": banc.code_for(email)})
    assert again.status_code == 422
    assert again.json()["erreurs"][0]["champ"] == "code"


async def test_les_codes_d_une_adresse_n_en_ouvrent_pas_une_autre(banc: Banc) -> None:
    mine, other = adresse(), adresse()
    for email in (mine, other):
        await banc.client.post("/v1/comptes/code", json={"email": email})
    stolen = await banc.client.post("/v1/sessions", json={"email": other, "code": banc.code_for(mine)})
    assert stolen.status_code == (201 if banc.code_for(mine) == banc.code_for(other) else 422)


@pytest.mark.parametrize(
    "email", ["x" * 65 + "@example.org", "", "pas une adresse", "a@b", "a@exemple.fr\nBcc: x@y.fr", "é@exemple.fr"]
)
async def test_une_mauvaise_adresse_est_refusee_a_son_champ(banc: Banc, email: str) -> None:
    refused = await banc.client.post("/v1/comptes/code", json={"email": email})
    assert refused.status_code == 422
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["erreurs"][0]["champ"] == "email"


async def test_une_session_posee_avant_la_connexion_ne_vaut_rien(banc: Banc) -> None:
    planted = "A" * 43
    banc.client.cookies.set(COOKIE, planted)
    email = adresse()
    headers = {"sec-fetch-site": "same-origin"}
    await banc.client.post("/v1/comptes/code", json={"email": email}, headers=headers)
    opened = await banc.client.post(
        "/v1/sessions", json={"email": email, "code": banc.code_for(email)}, headers=headers
    )
    assert opened.json()["jeton"] != planted
    async with banc.visitor() as thief:
        refused = await thief.get("/v1/compte", headers={"authorization": f"Bearer {planted}"})
        assert refused.status_code == 401


async def test_une_nouvelle_connexion_finit_la_session_d_avant(banc: Banc) -> None:
    email = adresse()
    headers = await banc.bearer(banc.client, email)
    await banc.client.post("/v1/comptes/code", json={"email": email})
    body = {"email": email, "code": banc.code_for(email)}
    assert (await banc.client.post("/v1/sessions", json=body, headers=headers)).status_code == 201
    assert (await banc.client.get("/v1/compte", headers=headers)).status_code == 401


async def test_la_deconnexion_finit_la_session(banc: Banc) -> None:
    headers = await banc.bearer(banc.client)
    assert (await banc.client.delete("/v1/sessions/courante", headers=headers)).status_code == 204
    refused = await banc.client.get("/v1/compte", headers=headers)
    assert refused.status_code == 401
    assert refused.json()["connexion"].startswith("/connexion?retour=")
    assert refused.json()["type"] == "/problemes/session-expiree"


async def test_un_moderateur_nomme_avant_toute_connexion_recoit_son_compte(banc: Banc) -> None:
    email = adresse()
    compte = await banc.app.state.deps.gestion.nommer_moderateur(email)
    compte_id, _ = await banc.login(banc.client, email)
    assert compte_id == compte.compte_id
    (contact,) = banc.services["notifications"].called("PUT", f"/v1/interne/contacts/{compte_id}")
    assert contact.json["email"] == email


async def test_s_abonner_est_consentir_et_la_preuve_est_gardee(banc: Banc) -> None:
    headers = await banc.bearer(banc.client)
    banc.services["matching"].say("POST", "/v1/profils", {"profil_id": "p1"}, 201, location="/v1/profils/p1")
    for _ in range(2):
        made = await banc.client.post("/v1/profils", json={"sens": "besoin"}, headers=headers)
        assert (made.status_code, made.headers["location"]) == (201, "/v1/profils/p1")
    mine = (await banc.client.get("/v1/compte", headers=headers)).json()
    (consent,) = mine["consentements"]
    assert (consent["canal"], consent["accorde"], consent["preuve"]) == ("email", True, "abonnement aux alertes")
    told = banc.services["notifications"].called("PUT", f"/v1/interne/contacts/{mine['compte_id']}")
    assert "email" not in told[-1].json
    assert (len(told), told[-1].json["version"]) == (2, 2)
    assert told[-1].json["consentements"][0]["accorde"] is True
    assert len(banc.services["matching"].called("POST", "/v1/profils")) == 2


async def test_les_listes_de_reference_sont_publiques_et_en_cache_par_etag(banc: Banc) -> None:
    lists = await banc.client.get("/v1/references")
    assert {v["code"] for v in lists.json()["quartiers"]} == set(references.quartiers())
    again = await banc.client.get("/v1/references", headers={"if-none-match": lists.headers["etag"]})
    assert again.status_code == 304
