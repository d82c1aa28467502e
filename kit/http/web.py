"""Creates the FastAPI app of a service (problem documents, body limit, metrics, health) and the server that runs it."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from functools import partial

import uvicorn
from fastapi import Depends, FastAPI, Request, Response
from opentelemetry.trace import Span, SpanKind, StatusCode
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kit import telemetry
from kit.http import problems
from kit.http.connections import Connections, Limits, Owner
from kit.http.health import Health
from kit.http.http_protocol import BoundedProtocol
from kit.http.json_bodies import storable_json
from kit.http.problems import Problem, to_response
from kit.logging import get_logger
from kit.metrics import HTTP_SECONDS

log = get_logger(__name__)

MAX_BODY = 256 * 1024
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create_app(
    title: str, health: Health, lifespan: Lifespan, *, docs: bool = False, doors: Sequence[Middleware] = ()
) -> FastAPI:
    """`docs` publishes /v1/openapi.json and its page; only the gateway does. `doors` are middlewares that run before
    the routes.

    `health` is kept in `app.state.health`. kit.lifecycle serves it on a separate port, so that clients of the routes
    cannot reach it.
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
    for door in doors:
        app.add_middleware(door.cls, *door.args, **door.kwargs)
    app.add_middleware(Observe)
    app.add_middleware(CloseOnShutdown, stopping=health.stopping)
    return app


def health_app(health: Health) -> FastAPI:
    """The app on the health port of a process: /sante/vivant, /sante/pret, /metrics."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    problems.install(app)
    app.include_router(health.router())
    return app


class CloseOnShutdown:
    """Middleware: once the process was told to end, each response closes its connection, so that the next request goes
    to another process."""

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
    """Derived from HTTPException because FastAPI turns any other error raised while it reads a body into a 400."""

    def __init__(self) -> None:
        super().__init__(413, f"more than {MAX_BODY} bytes")


async def _on_too_large(_: Request, __: Exception) -> Response:
    detail = f"L’envoi dépasse la limite de {MAX_BODY // 1024} Kio."
    return to_response(Problem(413, "trop-volumineux", "Envoi trop volumineux", detail))


async def _on_disconnect(_: Request, __: Exception) -> Response:
    """The client has disconnected: nobody reads this response, and it must not count as our error."""
    return Response(status_code=408)


class BodyLimit:
    """Middleware: 413 above MAX_BODY bytes, with or without a Content-Length."""

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
    """Middleware: one span, one timing and one log line per request. Routes are named by their template, never with
    ids.

    It is the outermost one, so that it also sees what other middlewares refuse or fail to do.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._paths: dict[object, str] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        status = 0
        begun = time.perf_counter()

        async def watched_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with telemetry.span(_method(scope), _trace_headers(scope), kind=SpanKind.SERVER) as span:
            try:
                await self.app(scope, receive, watched_send)
            except Exception as error:
                if status:
                    raise
                # Answer here rather than in Starlette's outer handler, so that the log line of the error has this
                # trace.
                answer = await scope["app"].exception_handlers[Exception](Request(scope), error)
                await answer(scope, receive, watched_send)
            finally:
                _note(span, _method(scope), self._route(scope), status or 500, time.perf_counter() - begun)

    def _route(self, scope: Scope) -> str:
        """The template of the path; "other" when no route was found."""
        if "route" in scope:
            return str(scope["route"].path)
        # FastAPI puts only its own routes into the scope. For pages and mounted apps only the endpoint is known.
        if self._paths is None:
            routes = [route for route in scope["app"].routes if isinstance(route, Route | Mount)]
            self._paths = {route.endpoint if isinstance(route, Route) else route.app: route.path for route in routes}
        return self._paths.get(scope.get("endpoint"), "other")


def _method(scope: Scope) -> str:
    """An HTTP method; anything else is counted as OTHER, because clients must not create metric series."""
    return scope["method"] if scope["method"] in _METHODS else "OTHER"


def _trace_headers(scope: Scope) -> dict[str, str]:
    found = Headers(scope=scope).get(telemetry.TRACEPARENT)
    return {} if found is None else {telemetry.TRACEPARENT: found}


def _note(span: Span, method: str, route: str, status: int, seconds: float) -> None:
    HTTP_SECONDS.labels(method, route, status).observe(seconds)
    span.update_name(f"{method} {route}")
    span.set_attributes({"http.request.method": method, "http.route": route, "http.response.status_code": status})
    if status >= 500:
        span.set_status(StatusCode.ERROR)
    log.info("request", method=method, route=route, status=status, ms=round(seconds * 1000, 1))


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """uvicorn would raise the signal again after a clean end, so the process would not exit with 0."""
        yield


def server(app: FastAPI, host: str, port: int, *, limits: Limits = Limits(), owner: Owner = str) -> uvicorn.Server:
    """A server that leaves signals and logging to the caller, and gives running requests 10 s at the end. `owner` maps
    the address of a client to the key under which its connections are counted."""
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
        # uvicorn would trust X-Forwarded-For from this machine; only the gateway decides whom to trust.
        proxy_headers=False,
        timeout_graceful_shutdown=10,
        lifespan="on",
    )
    return _Server(config)
