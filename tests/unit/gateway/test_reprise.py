"""A service restarts: reads and what was never sent wait for it, what may have been done is never done again."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.upstream import Answer, ServiceAway, Services
from kit.http.tokens import TokenSigner
from tests.attente import Bientot

KEY = (
    Ed25519PrivateKey.generate()
    .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    .decode()
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def autre_port() -> int:
    return free_port()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were made before asking again, in seconds."""
    made: list[float] = []

    def pause(seconds: float) -> float:
        made.append(seconds)
        return seconds

    monkeypatch.setattr("gateway.upstream.jitter", pause)
    return made


@asynccontextmanager
async def caller(*ports: int, restart_s: float) -> AsyncIterator[Services]:
    urls = {"annonces": [f"http://127.0.0.1:{port}" for port in ports]}
    services = Services(urls, TokenSigner(KEY), 30.0, restart_s)
    await services.start()
    try:
        yield services
    finally:
        await services.stop()


class Service:
    """Cuts the first `cuts` requests off after it has read them, and answers the others."""

    def __init__(self, port: int, cuts: int = 0, refuses: bool = False, leaves: bool = False) -> None:
        self._port = port
        self._cuts = cuts
        self._refuses = refuses
        self._leaves = leaves
        self.seen: list[str] = []
        self._runner: web.AppRunner | None = None

    async def handle(self, request: web.Request) -> web.Response:
        await request.read()
        self.seen.append(request.method)
        if len(self.seen) <= self._cuts:
            assert request.transport is not None
            request.transport.abort()
        if self._refuses:
            return web.json_response({"type": "https://place.test/problemes/jeton-invalide"}, status=401)
        return web.json_response({"fait": True}, headers={"Connection": "close"} if self._leaves else None)

    async def open(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.handle)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE"])
async def test_une_demande_attend_le_service_qui_redemarre(
    port: int, method: str, pauses: list[float], bientot: Bientot
) -> None:
    service = Service(port)
    async with caller(port, restart_s=60) as services:
        waiting = asyncio.create_task(services.call("annonces", method, "/v1/annonces"))
        # A pause: it was refused once.
        await bientot(lambda: pauses)
        assert not waiting.done()
        await service.open()
        try:
            answer: Answer = await waiting
        finally:
            await service.close()
    assert (answer.status, service.seen) == (200, [method])


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_une_lecture_coupee_est_refaite(port: int, method: str) -> None:
    service = Service(port, cuts=1)
    await service.open()
    async with caller(port, restart_s=0) as services:
        assert (await services.call("annonces", method, "/v1/annonces")).status == 200
    await service.close()


# PUT and DELETE mean the same when done twice: aiohttp repeats them once by itself.
@pytest.mark.parametrize("method", ["POST", "PATCH"])
async def test_une_ecriture_coupee_n_est_jamais_refaite(port: int, method: str) -> None:
    service = Service(port, cuts=1)
    await service.open()
    async with caller(port, restart_s=60) as services:
        with pytest.raises(ServiceAway) as away:
            await services.call("annonces", method, "/v1/annonces", body=b"{}")
    await service.close()
    assert (away.value.sent, service.seen) == (True, [method])


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_une_demande_refusee_par_un_processus_va_aussitot_a_l_autre(
    port: int, autre_port: int, method: str
) -> None:
    service = Service(autre_port)
    await service.open()
    async with caller(port, autre_port, restart_s=0) as services:
        for _ in range(6):
            assert (await services.call("annonces", method, "/v1/annonces")).status == 200
    await service.close()
    assert service.seen == [method] * 6


async def test_qui_n_attend_personne_est_servi_par_l_autre_processus(port: int, autre_port: int) -> None:
    service = Service(autre_port)
    await service.open()
    async with caller(port, autre_port, restart_s=0) as services:
        for _ in range(2):
            assert (await services.call("annonces", "GET", "/v1/annonces", timeout_s=30.0)).status == 200
    await service.close()


async def test_un_processus_qui_s_en_va_ne_recoit_plus_rien_tant_qu_un_autre_est_la(port: int, autre_port: int) -> None:
    leaving, staying = Service(port, leaves=True), Service(autre_port)
    await leaving.open()
    await staying.open()
    async with caller(port, autre_port, restart_s=0) as services:
        for _ in range(6):
            await services.call("annonces", "POST", "/v1/annonces")
    await leaving.close()
    await staying.close()
    assert (len(leaving.seen), len(staying.seen)) == (1, 5)


async def test_un_service_absent_pour_de_bon_ne_retarde_plus_personne(port: int, pauses: list[float]) -> None:
    async with caller(port, restart_s=0.3) as services:
        with pytest.raises(ServiceAway):
            await services.call("annonces", "GET", "/v1/annonces")
        assert pauses
        pauses.clear()
        # Its time is over: further requests are told at once, a thousand of them too.
        calls = (services.call("annonces", "GET", "/v1/annonces") for _ in range(50))
        answers = await asyncio.gather(*calls, return_exceptions=True)
    assert pauses == []
    assert all(isinstance(answer, ServiceAway) and not answer.sent for answer in answers)


async def test_qui_a_autre_chose_a_montrer_n_attend_personne(port: int, pauses: list[float]) -> None:
    async with caller(port, restart_s=3600) as services:
        with pytest.raises(ServiceAway):
            await services.call("annonces", "GET", "/v1/annonces", timeout_s=3.0)
    assert pauses == []


async def test_un_jeton_refuse_est_notre_faute_et_non_celle_du_visiteur(port: int) -> None:
    service = Service(port, refuses=True)
    await service.open()
    async with caller(port, restart_s=3600) as services:
        with pytest.raises(ServiceAway) as away:
            await services.call("annonces", "POST", "/v1/annonces", body=b"{}")
    await service.close()
    assert away.value.problem("POST").status == 503
