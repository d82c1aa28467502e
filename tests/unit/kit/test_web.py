"""The app of a service: bodies that are too large, routes that do not exist, servers that are away."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request, Response
from prometheus_client import REGISTRY
from pymongo.errors import AutoReconnect
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from kit.http.health import Health
from kit.http.problems import MEDIA_TYPE
from kit.http.web import MAX_BODY, create_app, health_app


async def page_of_a_mounted_app(scope: Scope, receive: Receive, send: Send) -> None:
    await Response()(scope, receive, send)


LinesOf = Callable[[str], list[dict[str, Any]]]


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    yield


def make_app() -> FastAPI:
    app = create_app("essai", Health(), lifespan)

    @app.post("/taille")
    async def size(request: Request) -> int:
        return len(await request.body())

    @app.post("/objet")
    async def typed(corps: dict[str, str]) -> int:
        return len(corps)

    @app.get("/panne")
    async def outage() -> None:
        raise ConnectionError("redis is away")

    @app.post("/commit")
    async def commit() -> None:
        raise AutoReconnect("gone", {"errorLabels": ["UnknownTransactionCommitResult"]})

    @app.get("/erreur")
    async def defect() -> None:
        raise ZeroDivisionError("c1@exemple.fr")

    async def page(_: Request) -> Response:
        return Response()

    app.add_route("/pages/{page_id}", page)
    app.mount("/fichiers", page_of_a_mounted_app)

    @app.get("/choses/{chose_id}")
    async def thing(chose_id: str) -> str:
        return chose_id

    return app


@pytest.fixture
def client() -> httpx.AsyncClient:
    transport = httpx.ASGITransport(make_app(), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://essai")


async def pieces(total: int) -> AsyncIterator[bytes]:
    """A body whose length is not announced."""
    while total > 0:
        piece = min(total, 60_000)
        yield b"x" * piece
        total -= piece


def is_too_large(answer: httpx.Response) -> None:
    assert answer.status_code == 413
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert answer.json()["detail"] == "L’envoi dépasse la limite de 256 Kio."


async def test_un_corps_est_lu_jusqu_a_la_limite(client: httpx.AsyncClient) -> None:
    assert (await client.post("/taille", content=b"x" * MAX_BODY)).json() == MAX_BODY
    assert (await client.post("/taille", content=pieces(MAX_BODY))).json() == MAX_BODY


async def test_un_corps_qui_s_annonce_trop_grand_est_refuse(client: httpx.AsyncClient) -> None:
    is_too_large(await client.post("/taille", content=b"x" * (MAX_BODY + 1)))


@pytest.mark.parametrize("path", ["/taille", "/objet"])
async def test_un_corps_qui_grandit_trop_est_refuse(client: httpx.AsyncClient, path: str) -> None:
    is_too_large(await client.post(path, content=pieces(MAX_BODY + 1), headers={"content-type": "application/json"}))


async def test_un_corps_qui_ment_sur_sa_longueur_est_refuse(client: httpx.AsyncClient) -> None:
    is_too_large(await client.post("/taille", content=pieces(MAX_BODY + 1), headers={"content-length": "10"}))


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/ailleurs", 404), ("PUT", "/taille", 405), ("GET", "/panne", 503), ("GET", "/erreur", 500)],
)
async def test_chaque_echec_est_un_document_de_probleme(
    client: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await client.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert answer.json()["status"] == status
    assert "exemple.fr" not in answer.text


async def test_une_panne_dit_quand_revenir(client: httpx.AsyncClient) -> None:
    assert int((await client.get("/panne")).headers["retry-after"]) > 0


async def test_une_validation_sans_reponse_ne_promet_rien(client: httpx.AsyncClient) -> None:
    assert "Rien n’a été enregistré" in (await client.get("/panne")).json()["detail"]
    answer = await client.post("/commit")
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert "peut-être" in answer.json()["detail"]


async def test_un_json_illisible_est_un_probleme_du_corps(client: httpx.AsyncClient) -> None:
    answer = await client.post("/objet", content=b"{", headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["erreurs"][0]["message"] == "Le corps n’est pas du JSON valable."


@pytest.mark.parametrize("path", ["/metrics", "/sante/pret", "/sante/vivant"])
async def test_sante_et_mesures_ne_sont_pas_parmi_les_routes(path: str) -> None:
    app = make_app()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://essai") as routes:
        assert (await routes.get(path)).status_code == 404
    transport = httpx.ASGITransport(health_app(app.state.health))
    async with httpx.AsyncClient(transport=transport, base_url="http://sante") as health:
        assert (await health.get(path)).status_code == 200
        assert (await health.get("/choses/c-42")).status_code == 404


async def test_une_erreur_et_sa_reponse_nomment_la_meme_trace(client: httpx.AsyncClient, lines_of: LinesOf) -> None:
    body = (await client.get("/erreur")).json()
    (failed,) = lines_of("request_failed")
    assert re.fullmatch("[0-9a-f]{32}", body["trace"])
    assert failed["trace"] == body["trace"]
    assert "trace" not in (await client.get("/ailleurs")).json()


async def test_chaque_demande_a_sa_ligne_sans_ce_que_quelqu_un_a_envoye(
    client: httpx.AsyncClient, lines_of: LinesOf
) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    headers = {"traceparent": f"00-{trace}-b7ad6b7169203331-01"}
    await client.get("/choses/c-42?adresse=c1@exemple.fr", headers=headers)
    await client.get("/pages/c-42")
    await client.get("/fichiers/c-42")
    await client.get("/ailleurs/c-42")
    await client.request("PIRATER", "/taille")
    lines = lines_of("request")
    seen = [(line["method"], line["route"], line["status"]) for line in lines]
    assert seen == [
        ("GET", "/choses/{chose_id}", 200),
        ("GET", "/pages/{page_id}", 200),
        ("GET", "/fichiers", 200),
        ("GET", "other", 404),
        ("OTHER", "/taille", 405),
    ]
    assert lines[0]["trace"] == trace
    assert all(line["ms"] >= 0 and line["level"] == "info" for line in lines)
    assert not re.search("c-42|exemple", str(lines))


async def test_ce_que_la_porte_refuse_se_voit_aussi(lines_of: LinesOf) -> None:
    class Closed:
        def __init__(self, app: ASGIApp, status: int) -> None:
            self.status = status

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            await Response(status_code=self.status)(scope, receive, send)

    app = create_app("essai", Health(), lifespan, doors=[Middleware(Closed, status=429)])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://essai") as visitor:
        assert (await visitor.get("/choses/c-42")).status_code == 429
    assert [line["status"] for line in lines_of("request")] == [429]


async def test_les_demandes_se_comptent_par_modele_de_route(client: httpx.AsyncClient) -> None:
    await client.get("/choses/c-42")
    counted = {
        sample.labels["route"] for metric in REGISTRY.collect() for sample in metric.samples if "route" in sample.labels
    }
    assert "/choses/{chose_id}" in counted
    assert not any("c-42" in route for route in counted)


async def test_qui_doit_finir_ferme_chaque_connexion_avec_sa_reponse() -> None:
    health = Health()
    app = create_app("essai", health, lifespan)
    app.add_api_route("/", lambda: {"fait": True})
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://essai") as client:
        assert "connection" not in (await client.get("/")).headers
        health.stopping.set()
        assert (await client.get("/")).headers["connection"] == "close"
