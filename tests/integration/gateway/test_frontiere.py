"""The trust boundary: what the public may not reach, forge, or make somebody else's browser do."""

from collections.abc import AsyncIterator

import pytest

from gateway.sessions import COOKIE
from kit.http.web import MAX_BODY
from kit.ids import new_id
from tests.integration.gateway.banc import Banc


@pytest.mark.parametrize(
    "path",
    [
        "/v1/interne/profils",
        "/v1/interne/contacts/c1",
        "/v1/annonces/../interne/profils",
        "/v1/annonces/%2e%2e/interne/profils",
        "/v1/annonces/%2e%2e%2finterne%2fprofils",
        "/v1/annonces/%252e%252e/interne/profils",
        "/v1/annonces//interne",
        "/v1/profils/interne",
        "/v1/openapi.json/x",
        "/v1/inconnu",
        "/v1/",
        "/metrics",
        "/sante/pret",
        "/sante/vivant",
        "/static/../metrics",
        "/v1/annonces/..%2f..%2fmetrics",
    ],
)
async def test_ce_qui_est_interne_est_injoignable(banc: Banc, path: str) -> None:
    headers = await banc.bearer(banc.client)
    before = {name: len(service.calls) for name, service in banc.services.items()}
    for method in ("GET", "POST", "PUT"):
        answer = await banc.client.request(method, path, headers=headers, json={})
        assert answer.status_code == 404
    assert {name: len(service.calls) for name, service in banc.services.items()} == before


async def test_un_jeton_interne_venu_du_dehors_est_une_session_inconnue(banc: Banc, jeton) -> None:  # type: ignore[no-untyped-def]
    for roles in ({"systeme"}, {"moderateur"}):
        forged = {"authorization": f"Bearer {jeton('moderation', sub='c1', roles=roles)}"}
        assert (await banc.client.get("/v1/moderation/dossiers", headers=forged)).status_code == 401
        assert (await banc.client.get("/v1/mes/annonces", headers=forged)).status_code == 401
    assert banc.services["moderation"].calls == []
    assert banc.services["annonces"].calls == []


async def test_les_services_savent_qui_appelle_par_le_seul_jeton(banc: Banc) -> None:
    compte_id, token = await banc.login(banc.client)
    headers = {
        "authorization": f"Bearer {token}",
        "x-forwarded-for": "10.0.0.1",
        "x-compte-id": "autre",
        "if-match": '"3"',
        "idempotency-key": "k1",
        "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "connection": "keep-alive, x-compte-id",
    }
    banc.services["annonces"].say("POST", "/v1/annonces", {"annonce_id": "a1"}, 201, etag='"1"', x_secret="oui")
    body = b'{"titre":  "espaces gard\xc3\xa9s"}'
    sent = {**headers, "content-type": "application/json", "sec-fetch-site": "same-origin"}
    answer = await banc.client.post("/v1/annonces?q=%C3%A9t%C3%A9", content=body, headers=sent)
    assert answer.status_code == 201
    assert answer.headers["etag"] == '"1"'
    assert "x-secret" not in answer.headers
    (call,) = banc.services["annonces"].calls
    assert (call.body, call.sub, call.query) == (body, compte_id, "q=%C3%A9t%C3%A9".replace("%C3%A9", "é"))
    assert (call.headers["if-match"], call.headers["idempotency-key"]) == ('"3"', "k1")
    assert "4bf92f3577b34da6a3ce929d0e0e4736" in call.headers["traceparent"]
    for name in ("cookie", "x-forwarded-for", "x-compte-id"):
        assert name not in call.headers
    assert token not in str(call.headers)


async def test_la_moderation_est_aux_moderateurs(banc: Banc) -> None:
    page = {"accept": "text/html"}
    visitor = await banc.client.get("/moderation/", headers=page)
    assert visitor.status_code == 303
    assert visitor.headers["location"] == "/connexion?retour=/moderation/"
    headers = await banc.bearer(banc.client)
    for path in ("/moderation/", "/moderation/dossiers/d1", "/v1/moderation/dossiers"):
        refused = await banc.client.get(path, headers={**headers, **page})
        assert refused.status_code == 403
    assert (await banc.client.post("/moderation/suivant", headers=headers)).status_code == 403
    assert banc.services["moderation"].calls == []

    email = f"{new_id()}@exemple.fr"
    await banc.app.state.deps.gestion.nommer_moderateur(email)
    headers = await banc.bearer(banc.client, email)
    seen = await banc.client.get("/moderation/dossiers/d1?x=1", headers=headers)
    assert seen.status_code == 200
    assert "default-src 'self'" in seen.headers["content-security-policy"]
    assert seen.headers["cache-control"] == "private, no-store"
    (call,) = banc.services["moderation"].calls
    assert (call.path, call.query, call.roles) == ("/moderation/dossiers/d1", "x=1", frozenset({"moderateur"}))


async def test_un_autre_site_n_ecrit_pas_avec_mon_cookie(banc: Banc) -> None:
    _, token = await banc.login(banc.client)
    banc.client.cookies.set(COOKIE, token, domain="place.test", path="/")
    refusals: tuple[dict[str, str], ...] = (
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://mechant.test"},
        {"origin": "null"},
        {},
    )
    for headers in refusals:
        for path in ("/v1/annonces", "/mon-compte/effacer", "/deconnexion"):
            refused = await banc.client.post(path, headers=headers, data={"x": "1"})
            assert refused.status_code == 403, (path, headers)
    assert banc.services["annonces"].calls == []
    for headers in ({"sec-fetch-site": "same-origin"}, {"origin": "https://place.test"}):
        allowed = await banc.client.post("/v1/annonces", headers=headers, json={})
        assert allowed.status_code == 200


async def test_un_autre_site_ne_me_connecte_pas_comme_quelqu_un_d_autre(banc: Banc) -> None:
    headers = {"sec-fetch-site": "cross-site", "origin": "https://mechant.test"}
    for path in ("/connexion", "/connexion/code", "/v1/sessions"):
        assert (await banc.client.post(path, headers=headers, data={"email": "a@b.fr"})).status_code == 403


async def test_le_desabonnement_en_un_clic_ne_demande_ni_cookie_ni_origine(banc: Banc) -> None:
    banc.services["notifications"].say("POST", "/v1/desabonnements/j1", {"annonce": None, "fait": True})
    banc.services["notifications"].say("GET", "/v1/desabonnements/j1", {"annonce": {"titre": "Un <b>"}, "fait": False})
    banc.client.cookies.set(COOKIE, "B" * 43, domain="place.test", path="/")
    shown = await banc.client.get("/desabonnement/j1")
    assert shown.status_code == 200
    assert "Un &lt;b&gt;" in shown.text
    assert banc.services["notifications"].called("POST", "/v1/desabonnements/j1") == []
    headers = {"sec-fetch-site": "cross-site", "content-type": "application/x-www-form-urlencoded"}
    for path in ("/desabonnement/j1", "/v1/desabonnements/j1"):
        acted = await banc.client.post(path, content=b"List-Unsubscribe=One-Click", headers=headers)
        assert acted.status_code == 200
    calls = banc.services["notifications"].called("POST", "/v1/desabonnements/j1")
    assert [call.sub for call in calls] == ["", ""]


async def test_un_cookie_expire_lit_les_pages_publiques_et_ramene_a_la_connexion(banc: Banc) -> None:
    banc.services["annonces"].say("GET", "/v1/annonces", {"annonces": [], "total": 0, "facettes": {}})
    banc.client.cookies.set(COOKIE, "C" * 43, domain="place.test", path="/")
    assert (await banc.client.get("/v1/annonces")).status_code == 200
    expired = await banc.client.get("/v1/mes/annonces")
    assert (expired.status_code, expired.json()["type"]) == (401, "/problemes/session-expiree")
    page = await banc.client.get("/alertes/nouvelle", headers={"accept": "text/html"})
    assert (page.status_code, page.headers["location"]) == (303, "/connexion?retour=/alertes/nouvelle")


async def test_un_corps_au_dela_de_la_limite_est_refuse(banc: Banc) -> None:
    headers = await banc.bearer(banc.client)
    big = b"x" * (MAX_BODY + 1)

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b"x" * (MAX_BODY // 4)

    for path in ("/v1/annonces", "/v1/sessions"):
        assert (await banc.client.post(path, content=big, headers=headers)).status_code == 413
        sent = {**headers, "content-type": "application/json"}
        assert (await banc.client.post(path, content=chunks(), headers=sent)).status_code == 413
    page = await banc.client.post("/annonces/nouvelle", content=big, headers={**headers, "accept": "text/html"})
    assert page.status_code == 413
    assert page.headers["content-type"].startswith("text/html")
    assert banc.services["annonces"].calls == []


@pytest.mark.parametrize("reglages", ["proxy", "direct"], indirect=True)
async def test_seul_un_mandataire_de_confiance_dit_qui_est_derriere_lui(banc: Banc) -> None:
    """The limit is 3 requests a minute: a client that changes its X-Forwarded-For is still one client."""
    trusted = bool(banc.settings.proxys_de_confiance)
    peer = "198.51.100.9"
    async with banc.visitor(peer) as client:
        codes = [
            (await client.get("/v1/references", headers={"x-forwarded-for": f"6.6.6.{n}, 192.0.2.{n}"})).status_code
            for n in range(5)
        ]
    assert codes == ([200] * 5 if trusted else [200, 200, 200, 429, 429])


@pytest.mark.parametrize("reglages", ["proxy-50"], indirect=True)
async def test_plusieurs_en_tetes_de_relais_font_une_liste_dont_le_debut_peut_etre_faux(banc: Banc) -> None:
    async with banc.visitor("198.51.100.9") as proxy:
        codes = []
        for n in range(60):
            lines = [
                ("x-forwarded-for", f"6.6.6.{n}"),
                ("x-forwarded-for", "192.0.2.77"),
                ("forwarded", f"for=6.6.7.{n}"),
            ]
            codes.append((await proxy.get("/v1/references", headers=lines)).status_code)
    assert codes == [200] * 50 + [429] * 10


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/connexion/", "https://place.test/connexion"),
        ("/annonces/?q=x", "https://place.test/annonces?q=x"),
        ("/static", "https://place.test/static/"),
        ("/mon-compte/", "https://place.test/mon-compte"),
    ],
)
async def test_une_redirection_reste_sur_le_site_quel_que_soit_l_hote_envoye(
    banc: Banc, path: str, expected: str
) -> None:
    for host in ("evil.example", "evil.example:443", "place.test.evil.example", ""):
        answer = await banc.client.get(path, headers={"host": host, "x-forwarded-host": "evil.example"})
        assert (answer.status_code, answer.headers["location"]) == (307, expected)


@pytest.fixture
def reglages(request: pytest.FixtureRequest, serveurs) -> dict[str, object]:  # type: ignore[no-untyped-def]
    base: dict[str, object] = {
        "mongo_url": serveurs.mongo_url,
        "redis_url": serveurs.redis_url,
        "kafka_url": serveurs.kafka_url,
        "limite_codes_par_ip_heure": 100_000,
        "limite_essais_par_ip_heure": 100_000,
        "limite_requetes_par_ip_minute": 1_000_000,
    }
    kind = getattr(request, "param", None)
    if kind is not None:
        base["limite_requetes_par_ip_minute"] = 50 if kind == "proxy-50" else 3
        base["proxys_de_confiance"] = "" if kind == "direct" else "198.51.100.0/24"
    return base
