"""A body that nobody could keep is refused at its field, whichever route gets it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson
import pytest
from fastapi import APIRouter, FastAPI
from hypothesis import given
from hypothesis import strategies as st

from kit.http.health import Health
from kit.http.json_bodies import DEPTH_MAX, flaw
from kit.http.web import create_app


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    yield


def make_app() -> FastAPI:
    app = create_app("essai", Health(), lifespan)
    router = APIRouter(prefix="/v1")

    @router.post("/objets")
    async def objets(corps: dict[str, Any]) -> bytes:
        return orjson.dumps(corps)

    @router.get("/objets")
    async def lire() -> str:
        return "ok"

    @router.put("/objets/{n}")
    async def remplacer(n: int) -> int:
        return n

    app.include_router(router)
    return app


@pytest.fixture
def client() -> httpx.AsyncClient:
    transport = httpx.ASGITransport(make_app(), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://essai")


def imbrique(niveaux: int) -> bytes:
    return b'{"a":' * niveaux + b"1" + b"}" * niveaux


@pytest.mark.parametrize(
    ("corps", "champ"),
    [
        (b'{"abonnement":{"a":18446744073709551616}}', "abonnement.a"),
        (b'{"a":[0,-9223372036854775809]}', "a.1"),
        (b'{"a":"\\ud800"}', "a"),
        (b'{"a":{"\\udfff":1}}', "a"),
        (b'{"a":{"x\\u0000y":1}}', "a"),
        (b'{"a":1e400}', "a"),
        (b'{"a":NaN}', "a"),
        (b'{"a":' + b"9" * 5000 + b"}", "corps"),
        (imbrique(300), ".".join(["a"] * DEPTH_MAX)),
        (imbrique(20_000), "corps"),
        (b"[" * 100_000, "corps"),
        (b"\xff\xfe", "corps"),
        (b'{"a":"\xed\xa0\x80"}', "a"),
        (b'{"a":', "corps"),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_ce_que_personne_ne_peut_garder_est_refuse_a_son_champ(
    client: httpx.AsyncClient, corps: bytes, champ: str
) -> None:
    answer = await client.post("/v1/objets", content=corps, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert answer.json()["erreurs"][0]["champ"] == champ


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_ce_qui_passe_peut_etre_garde(value: Any) -> None:
    try:
        read = json.loads(json.dumps(value))
    except UnicodeEncodeError:
        return
    if flaw(read) is None:
        assert orjson.loads(orjson.dumps(read)) == read


async def test_405_dit_tout_ce_que_l_adresse_accepte(client: httpx.AsyncClient) -> None:
    answer = await client.delete("/v1/objets")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")
    assert (await client.post("/v1/objets/1")).headers["allow"] == "PUT"
    assert (await client.get("/v1/rien")).status_code == 404
