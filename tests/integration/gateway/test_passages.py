"""What passes through for notifications: links in mails, callbacks of providers, feeds, pages of the staff."""

import pytest
from aiohttp import web

from gateway.sessions import COOKIE
from kit.http.web import MAX_BODY
from kit.ids import new_id
from tests.integration.gateway.banc import Banc
from tests.integration.gateway.test_pannes import _annonce

LIEN = {
    "annonce": {"annonce_id": "a1", "titre": "Une <b>remorque</b>", "places_restantes": 2},
    "intentions": ["repondre", "refuser"],
    "fait": None,
}
CSP = "default-src 'none'; style-src 'unsafe-inline'"


async def test_lire_le_lien_d_un_mail_ne_fait_rien_et_seul_le_bouton_agit(banc: Banc) -> None:
    notifications = banc.services["notifications"]
    notifications.say("GET", "/v1/reponses-par-lien/j1", LIEN)
    notifications.say("POST", "/v1/reponses-par-lien/j1", {**LIEN, "fait": "repondre"}, 202)
    _, token = await banc.login(banc.client)
    banc.client.cookies.set(COOKIE, token, domain="place.test", path="/")
    shown = await banc.client.get("/repondre/j1")
    assert shown.status_code == 200
    for text in ("Une &lt;b&gt;remorque&lt;/b&gt;", "Je peux aider", "Pas cette fois", "Encore 2\u00a0places"):
        assert text in shown.text
    assert notifications.called("POST", "/v1/reponses-par-lien/j1") == []
    data = {"quantite": "2", "intention": "repondre"}
    acted = await banc.client.post("/repondre/j1", data=data, headers={"sec-fetch-site": "same-origin"})
    assert acted.status_code == 200
    assert "Un message vous dit dans quelques instants" in acted.text
    assert 'href="/mon-compte#mes-reponses"' in acted.text
    (call,) = notifications.called("POST", "/v1/reponses-par-lien/j1")
    # The token in the link says who answers, not the cookie of this browser.
    assert (call.json, call.sub) == ({"intention": "repondre", "quantite": 2}, "")


async def test_pas_cette_fois_et_un_nombre_impossible(banc: Banc) -> None:
    notifications = banc.services["notifications"]
    notifications.say("GET", "/v1/reponses-par-lien/j1", LIEN)
    error = {"title": "Non", "detail": "Non", "erreurs": [{"champ": "quantite", "message": "Un nombre est attendu."}]}
    notifications.say("POST", "/v1/reponses-par-lien/j1", error, 422)
    refused = await banc.client.post("/repondre/j1", data={"quantite": "dix", "intention": "repondre"})
    assert refused.status_code == 422
    assert 'href="#quantite">Un nombre est attendu.' in refused.text
    notifications.say("POST", "/v1/reponses-par-lien/j1", {**LIEN, "fait": "refuser"}, 202)
    declined = await banc.client.post("/repondre/j1", data={"quantite": "dix", "intention": "refuser"})
    assert "nous ne vous en parlerons plus" in declined.text
    notifications.say(
        "GET", "/v1/reponses-par-lien/j2", {"title": "Introuvable", "detail": "Ce lien n’existe pas."}, 404
    )
    unknown = await banc.client.get("/repondre/j2")
    assert unknown.status_code == 404
    assert "Ce lien n’existe pas." in unknown.text


@pytest.mark.parametrize("path", ["sms/operateur", "email", "courriel-retour"])
async def test_un_rappel_passe_tel_quel_avec_sa_signature_et_sans_personne(banc: Banc, path: str) -> None:
    _, token = await banc.login(banc.client)
    banc.client.cookies.set(COOKIE, token, domain="place.test", path="/")
    body = b'\xff{"brut":  true}\r\n'
    headers = {
        "x-horodatage": "1795600000",
        "x-signature": "abc",
        "content-type": "application/octet-stream",
        "sec-fetch-site": "cross-site",
        "authorization": "Bearer n-importe-quoi-qui-ressemble-a-un-jeton",
    }
    answer = await banc.client.post(f"/v1/rappels/{path}", content=body, headers=headers)
    assert answer.status_code == 200
    (call,) = banc.services["notifications"].called("POST", f"/v1/rappels/{path}")
    assert (call.body, call.sub, call.roles) == (body, "", frozenset())
    assert (call.headers["x-horodatage"], call.headers["x-signature"]) == ("1795600000", "abc")
    too_big = await banc.client.post(f"/v1/rappels/{path}", content=b"x" * (MAX_BODY + 1), headers=headers)
    assert too_big.status_code == 413


async def test_la_signature_ne_passe_que_pour_les_rappels(banc: Banc) -> None:
    headers = await banc.bearer(banc.client)
    await banc.client.get("/v1/mes/envois", headers={**headers, "x-signature": "abc", "x-horodatage": "1"})
    assert "x-signature" not in banc.services["notifications"].called("GET", "/v1/mes/envois")[0].headers


@pytest.mark.parametrize("reglages", [2], indirect=True)
async def test_les_rappels_ont_leur_propre_limite(banc: Banc) -> None:
    async with banc.visitor("198.51.100.77") as provider:
        codes = [(await provider.post("/v1/rappels/email", content=b"{}")).status_code for _ in range(4)]
        # Others behind the same address are not held up by it.
        assert (await provider.get("/v1/references")).status_code == 200
    assert codes == [200, 200, 429, 429]


def _feed() -> web.Response:
    headers = {"etag": '"3"', "cache-control": "public", "content-type": "application/rss+xml"}
    return web.Response(body=b"<rss/>", headers=headers)


async def test_un_flux_est_lu_sans_session_et_reste_prive(banc: Banc) -> None:
    notifications = banc.services["notifications"]
    notifications.answers.insert(0, ("GET", "/v1/flux/j1", lambda _: _feed()))
    read = await banc.client.get("/flux/j1.xml", headers={"if-none-match": '"2"'})
    assert (read.status_code, read.headers["etag"]) == (200, '"3"')
    assert (read.content, read.headers["content-type"]) == (b"<rss/>", "application/rss+xml")
    assert read.headers["cache-control"].startswith("private")
    (call,) = notifications.called("GET", "/v1/flux/j1")
    assert (call.sub, call.headers["if-none-match"]) == ("", '"2"')
    notifications.say("GET", "/v1/flux/j2", {"title": "Introuvable", "detail": "Ce flux n’existe pas."}, 404)
    assert (await banc.client.get("/flux/j2.xml", headers={"accept": "application/xml"})).status_code == 404
    assert (await banc.client.get("/flux/../interne/x.xml")).status_code == 404


async def test_un_calendrier_est_lu_sans_session_et_reste_prive(banc: Banc) -> None:
    notifications = banc.services["notifications"]
    calendar = web.Response(body=b"BEGIN:VCALENDAR", headers={"content-type": "text/calendar; charset=utf-8"})
    notifications.answers.insert(0, ("GET", "/v1/calendrier/c.j.s", lambda _: calendar))
    read = await banc.client.get("/calendrier/c.j.s.ics")
    assert (read.status_code, read.content) == (200, b"BEGIN:VCALENDAR")
    assert read.headers["content-type"].startswith("text/calendar")
    assert read.headers["cache-control"].startswith("private")
    (call,) = notifications.called("GET", "/v1/calendrier/c.j.s")
    assert call.sub == ""


async def test_les_pages_de_notifications_sont_pour_les_moderateurs_et_gardent_leur_regle(banc: Banc) -> None:
    page = {"accept": "text/html"}
    notifications = banc.services["notifications"]
    notifications.say("GET", "/v1/notifications/apercu", {}, content_security_policy=CSP)
    notifications.say("GET", "/v1/mes/envois", {}, content_security_policy=CSP)
    visitor = await banc.client.get("/v1/notifications/apercu", headers=page)
    assert (visitor.status_code, visitor.headers["location"]) == (303, "/connexion?retour=/v1/notifications/apercu")
    headers = await banc.bearer(banc.client)
    for path in ("/v1/notifications/apercu", "/v1/notifications/registre"):
        refused = await banc.client.get(path, headers={**headers, **page})
        assert refused.status_code == 403
    assert notifications.called("GET", "/v1/notifications/.*") == []
    assert (
        "default-src 'self'"
        in (await banc.client.get("/v1/mes/envois", headers=headers)).headers["content-security-policy"]
    )
    email = f"{new_id()}@exemple.fr"
    await banc.app.state.deps.gestion.nommer_moderateur(email)
    headers = await banc.bearer(banc.client, email)
    seen = await banc.client.get("/v1/notifications/apercu", headers={**headers, **page})
    assert (seen.status_code, seen.headers["content-security-policy"]) == (200, CSP)
    assert seen.headers["x-content-type-options"] == "nosniff"
    other = await banc.client.get("/v1/notifications/registre", headers={**headers, **page})
    assert "default-src 'self'" in other.headers["content-security-policy"]


async def test_une_annonce_complete_offre_la_liste_d_attente(banc: Banc) -> None:
    annonces = banc.services["annonces"]
    full = {**_annonce("Une remorque"), "etat": "pourvue", "places_restantes": 0}
    annonces.say("GET", "/v1/annonces/a1", full)
    visitor = await banc.client.get("/annonces/a1")
    assert "M’inscrire en liste d’attente" in visitor.text
    _, token = await banc.login(banc.client)
    banc.client.cookies.set(COOKIE, token, domain="place.test", path="/")
    annonces.say("POST", "/v1/annonces/a1/reponses", {"reponse_id": "r1", "etat": "en_attente", "rang": 2}, 201)
    here = {"sec-fetch-site": "same-origin"}
    sent = await banc.client.post("/annonces/a1", data={"liste_attente": "oui", "message": "Moi"}, headers=here)
    assert sent.headers["location"] == "/mon-compte?message=liste-attente#mes-reponses"
    (call,) = annonces.called("POST", "/v1/annonces/a1/reponses")
    assert call.json == {"message": "Moi", "quantite": 1, "liste_attente": True}
    waiting = {
        "reponse_id": "r1",
        "annonce_id": "a1",
        "annonce_titre": "Une remorque",
        "etat": "en_attente",
        "rang": 2,
        "quantite": 1,
        "message": "Moi",
        "deposee_at": "2026-12-01T10:00:00Z",
    }
    annonces.say("GET", "/v1/mes/reponses", {"reponses": [waiting]})
    mine = await banc.client.get("/mon-compte")
    assert "En liste d’attente" in mine.text
    assert "à la 2<sup>e</sup> place sur la liste d’attente" in mine.text
    assert "/mon-compte/reponses/r1/annulation" in mine.text


@pytest.fixture
def reglages(request: pytest.FixtureRequest, serveurs) -> dict[str, object]:  # type: ignore[no-untyped-def]
    return {
        "mongo_url": serveurs.mongo_url,
        "redis_url": serveurs.redis_url,
        "kafka_url": serveurs.kafka_url,
        "limite_codes_par_ip_heure": 100_000,
        "limite_requetes_par_ip_minute": 1_000_000,
        "limite_rappels_par_ip_minute": getattr(request, "param", 60_000),
    }


@pytest.mark.parametrize("page", ["apercu", "registre"])
async def test_les_agents_ont_une_adresse_courte_qui_n_ouvre_rien_aux_autres(banc: Banc, page: str) -> None:
    short = await banc.client.get(f"/{page}")
    assert (short.status_code, short.headers["location"]) == (307, f"/v1/notifications/{page}")
    assert (await banc.client.get(short.headers["location"])).status_code == 401
