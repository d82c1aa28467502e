"""A gateway in this process on real servers, and small servers that stand for the four services."""

import asyncio
import datetime as dt
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
from aiohttp import web
from fastapi import FastAPI

from gateway.app import create
from gateway.sessions import COOKIE
from gateway.settings import Reglages
from kit.clock import Clock
from kit.http.tokens import TokenVerifier
from kit.ids import new_id

SERVICES = ("annonces", "moderation", "matching", "notifications")
Answer = Callable[["Call"], web.Response]


@dataclass(frozen=True)
class Call:
    """What a service got: `sub` and `roles` come from the internal token, which was checked."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    sub: str
    roles: frozenset[str]
    transport: asyncio.Transport | None = None

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Upstream:
    """One service. `answers` maps (method, path pattern) to what it says; the rest is an empty JSON object."""

    name: str
    verifier: TokenVerifier
    calls: list[Call] = field(default_factory=list)
    answers: list[tuple[str, str, Answer]] = field(default_factory=list)
    url: str = ""

    def say(self, method: str, pattern: str, content: Any = None, status: int = 200, **headers: str) -> None:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.insert(0, (method, pattern, lambda _: web.json_response(content, status=status, headers=sent)))

    def called(self, method: str, pattern: str) -> list[Call]:
        return [c for c in self.calls if c.method == method and re.fullmatch(pattern, c.path)]

    async def handle(self, request: web.Request) -> web.Response:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        identity = self.verifier.verify(token)
        call = Call(
            request.method,
            request.rel_url.raw_path,
            request.query_string,
            {name.lower(): value for name, value in request.headers.items()},
            await request.read(),
            identity.sub,
            identity.roles,
            request.transport,
        )
        self.calls.append(call)
        for method, pattern, answer in self.answers:
            if method == call.method and re.fullmatch(pattern, call.path):
                return answer(call)
        return web.json_response({})


@dataclass
class Banc:
    app: FastAPI
    settings: Reglages
    services: dict[str, Upstream]
    client: httpx.AsyncClient

    @asynccontextmanager
    async def visitor(self, address: str = "203.0.113.7", **headers: str) -> AsyncIterator[httpx.AsyncClient]:
        """A browser without a history, at an address of the Internet."""
        transport = httpx.ASGITransport(self.app, client=(address, 4000))
        async with httpx.AsyncClient(transport=transport, base_url="https://place.test", headers=headers) as client:
            yield client

    def later(self, delay: dt.timedelta) -> None:
        """What the gateway does from now on happens `delay` later."""
        deps = self.app.state.deps
        self.app.state.deps = replace(deps, clock=_Later(deps.clock, delay))

    def code_for(self, email: str) -> str:
        """The last code that notifications was asked to send."""
        return self.codes_for(email)[-1]

    def codes_for(self, email: str) -> list[str]:
        """Those that it was asked to send, in their order."""
        sent = [c.json for c in self.services["notifications"].called("POST", "/v1/interne/codes")]
        return [str(c["code"]) for c in sent if c["email"] == email]

    async def login(self, client: httpx.AsyncClient, email: str | None = None) -> tuple[str, str]:
        """(account id, token); the client keeps the cookie too."""
        email = email or f"{new_id()}@exemple.fr"
        here = {"sec-fetch-site": "same-origin"}
        assert (await client.post("/v1/comptes/code", json={"email": email}, headers=here)).status_code == 202
        body = {"email": email, "code": self.code_for(email.lower())}
        opened = await client.post("/v1/sessions", json=body, headers=here)
        assert opened.status_code == 201, opened.text
        return opened.json()["compte_id"], opened.json()["jeton"]

    async def bearer(self, client: httpx.AsyncClient, email: str | None = None) -> dict[str, str]:
        """Headers of a program that is logged in."""
        _, token = await self.login(client, email)
        client.cookies.delete(COOKIE)
        return {"authorization": f"Bearer {token}"}


@dataclass(frozen=True)
class _Later:
    clock: Clock
    delay: dt.timedelta

    def now(self) -> dt.datetime:
        return self.clock.now() + self.delay


@asynccontextmanager
async def monter(settings: dict[str, Any], public_pem: str) -> AsyncIterator[Banc]:
    """A gateway with its four stand-ins, for the time of the `async with`."""
    async with AsyncExitStack() as stack:
        services = {}
        for name in SERVICES:
            upstream = Upstream(name, TokenVerifier(public_pem, name))
            await _serve(stack, upstream)
            services[name] = upstream
        urls = {f"{name}_url": upstream.url for name, upstream in services.items()}
        # What is closed stays closed in these tests: nobody waits for it.
        reglages = Reglages(**{"public_url": "https://place.test", "attente_reprise_s": 0, **urls, **settings})
        app = create(reglages)
        await stack.enter_async_context(app.router.lifespan_context(app))
        transport = httpx.ASGITransport(app, client=("203.0.113.7", 4000), raise_app_exceptions=False)
        client = await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url="https://place.test"))
        yield Banc(app, reglages, services, client)


async def _serve(stack: AsyncExitStack, upstream: Upstream) -> None:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", upstream.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server = site._server
    assert server is not None
    upstream.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"  # type: ignore[attr-defined]
