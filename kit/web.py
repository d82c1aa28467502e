"""The FastAPI app of a service: problem documents, body limit, metrics, health; and the server that runs it."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from functools import partial

import uvicorn
from fastapi import Depends, FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kit import problems
from kit.connections import Connections, Limits, Owner
from kit.health import Health
from kit.http_protocol import BoundedProtocol
from kit.json_bodies import storable_json
from kit.metrics import HTTP_SECONDS
from kit.problems import Problem, to_response
from kit.telemetry import span

MAX_BODY = 256 * 1024

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create_app(title: str, health: Health, lifespan: Lifespan, *, docs: bool = False) -> FastAPI:
    """`docs` publishes /v1/openapi.json and its page: for the public's door only.

    `health` is kept in `app.state.health`: kit.process serves it on a port of its own, since whoever reaches the routes
    (for the gateway: everybody) has no business there.
    """
    app = FastAPI(
        title=title,
        lifespan=lifespan,
        dependencies=[Depends(storable_json)],
        openapi_url="/v1/openapi.json" if docs else None,
        docs_url=None,
        redoc_url=None,
    )
    problems.install(app)
    app.add_exception_handler(_TooLarge, _on_too_large)
    app.add_exception_handler(ClientDisconnect, _on_disconnect)
    app.state.health = health
    app.add_middleware(BodyLimit)
    app.add_middleware(Observe)
    app.add_middleware(Leaving, stopping=health.stopping)
    return app


def health_app(health: Health) -> FastAPI:
    """What a process shows on its health port: /sante/vivant, /sante/pret, /metrics."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    problems.install(app)
    app.include_router(health.router())
    return app


class Leaving:
    """Once the process is told to end, each answer closes its connection: the next request goes to another process."""

    def __init__(self, app: ASGIApp, stopping: asyncio.Event) -> None:
        self.app = app
        self._stopping = stopping

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def closing_send(message: Message) -> None:
            if message["type"] == "http.response.start" and self._stopping.is_set():
                message["headers"] = [*message.get("headers", ()), (b"connection", b"close")]
            await send(message)

        await self.app(scope, receive, closing_send if scope["type"] == "http" else send)


class _TooLarge(HTTPException):
    """An HTTPException, since FastAPI turns any other error raised while it reads a body into a 400."""

    def __init__(self) -> None:
        super().__init__(413, f"more than {MAX_BODY} bytes")


async def _on_too_large(_: Request, __: Exception) -> Response:
    detail = f"L’envoi dépasse la limite de {MAX_BODY // 1024} Kio."
    return to_response(Problem(413, "trop-volumineux", "Envoi trop volumineux", detail))


async def _on_disconnect(_: Request, __: Exception) -> Response:
    """Whoever asked has gone, or was too slow: nobody reads this, and nothing of ours failed."""
    return Response(status_code=408)


class BodyLimit:
    """413 above MAX_BODY bytes, whether announced by Content-Length or not."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        headers = dict(scope["headers"])
        announced = headers.get(b"content-length", b"0")
        read = 0
        started = False

        async def limited_receive() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > MAX_BODY:
                raise _TooLarge
            return message

        async def watched_send(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            if announced.isdigit() and int(announced) > MAX_BODY:
                raise _TooLarge
            await self.app(scope, limited_receive, watched_send)
        except _TooLarge as error:
            if started:
                raise
            await (await _on_too_large(Request(scope), error))(scope, receive, send)


class Observe:
    """A span and a timing for each request; routes are labelled by their template, never by their ids."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        status = 500
        start = time.perf_counter()

        async def watched_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        headers = {
            name.decode("latin-1"): value.decode("latin-1")
            for name, value in scope["headers"]
            if name == b"traceparent"
        }
        try:
            with span(f"{scope['method']}", headers):
                await self.app(scope, receive, watched_send)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            HTTP_SECONDS.labels(scope["method"], route, status).observe(time.perf_counter() - start)


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """uvicorn would raise the signal once more after a clean end: the process would not exit with 0."""
        yield


def server(app: FastAPI, host: str, port: int, *, limits: Limits = Limits(), owner: Owner = str) -> uvicorn.Server:
    """A server that leaves signals and logging to the caller, and gives requests in hand 10 s at the end. `owner` names
    whom the connections of an address belong to, when they are counted."""
    open_connections = Connections(limits, owner)
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=partial(BoundedProtocol, limits=limits, open_connections=open_connections),  # type: ignore[arg-type]  # called
        ws="none",
        timeout_keep_alive=limits.idle_s,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        # uvicorn would believe X-Forwarded-For from this machine: whom to believe is the gateway's to say.
        proxy_headers=False,
        timeout_graceful_shutdown=10,
        lifespan="on",
    )
    return _Server(config)
