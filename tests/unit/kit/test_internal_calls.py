"""One service asks another: a refusal is an answer, silence and failures are an outage."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from kit.errors import is_outage
from kit.http.internal_calls import Answer, InternalApi, ServiceAway
from kit.http.tokens import TokenSigner, TokenVerifier
from tests.unit.kit.test_tokens import make_keys

KEYS, GATEWAY = make_keys(), make_keys()


@pytest.fixture
async def url() -> AsyncIterator[str]:
    verifier = TokenVerifier(GATEWAY.public, "annonces", services={"notifications": KEYS.public})

    async def answer(request: web.Request) -> web.Response:
        caller = verifier.verify(request.headers["authorization"].removeprefix("Bearer "))
        status = int(request.match_info["status"])
        if status == 204:
            return web.Response(status=204)
        body = await request.json() if request.can_read_body else None
        said = {"issuer": caller.issuer, "pour": request.query.get("pour"), "body": body}
        return web.json_response(said, status=status)

    async def nonsense(_: web.Request) -> web.Response:
        return web.Response(text="<html>")

    app = web.Application()
    app.router.add_route("*", "/statut/{status}", answer)
    app.router.add_route("*", "/html", nonsense)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    yield f"http://127.0.0.1:{port}/"
    await runner.cleanup()


@pytest.fixture
async def api(url: str) -> AsyncIterator[InternalApi]:
    made = InternalApi(url, "annonces", TokenSigner(KEYS.private, issuer="notifications"))
    yield made
    await made.close()


async def test_un_appel_dit_qui_appelle_et_rapporte_la_reponse(api: InternalApi) -> None:
    found = await api.call("POST", "/statut/201", query={"pour": "c1"}, content={"texte": "é"})
    assert found == Answer(201, {"issuer": "notifications", "pour": "c1", "body": {"texte": "é"}})
    assert await api.call("GET", "/statut/204") == Answer(204, {})


@pytest.mark.parametrize("status", [400, 403, 404, 409, 422, 429])
async def test_un_refus_est_une_reponse(api: InternalApi, status: int) -> None:
    assert (await api.call("GET", f"/statut/{status}")).status == status


@pytest.mark.parametrize("path", ["/statut/500", "/statut/503", "/statut/401", "/html"])
async def test_un_service_en_echec_est_absent(api: InternalApi, path: str) -> None:
    with pytest.raises(ServiceAway) as raised:
        await api.call("GET", path)
    assert is_outage(raised.value)


async def test_un_service_sans_personne_est_absent() -> None:
    api = InternalApi("http://127.0.0.1:9", "annonces", TokenSigner(KEYS.private, issuer="notifications"))
    with pytest.raises(ServiceAway):
        await api.call("GET", "/")
    await api.close()


async def test_another_process_of_the_service_answers_for_one_that_is_gone(url: str) -> None:
    api = InternalApi(f"http://127.0.0.1:9,{url}", "annonces", TokenSigner(KEYS.private, issuer="notifications"))
    for _ in range(3):
        assert (await api.call("POST", "/statut/201")).status == 201
    await api.close()
