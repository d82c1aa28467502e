"""What every request passes first: who it is, whether it is too much, whether another site forged it; and the headers
that every answer carries."""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.door_rules import (
    CALLBACK_PATHS,
    ENTRIES,
    SAFE_METHODS,
    STAFF_PATHS,
    Limit,
    Network,
    client_address,
    limit_key,
    login_path,
    may_write,
    retry_after,
)
from gateway.limits import Limits, too_many
from gateway.memory import MemoryAway
from gateway.rights import DroitsDesComptes, DroitsInconnus
from gateway.sessions import COOKIE, Entree, Sessions
from gateway.upstream import VISITOR, Caller
from kit.http.problems import Problem, unavailable
from kit.http.web import MAX_BODY

CSP = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
_UNGUARDED = ("/static/",)
_TOKEN = re.compile(r"[A-Za-z0-9_-]{20,128}")


class Known(Enum):
    """What is known about who sends a request."""

    VISITOR = "visitor"
    SESSION = "session"
    EXPIRED = "expired"
    UNKNOWABLE = "unknowable"


@dataclass(frozen=True)
class Who:
    """`token` is the session's, from a cookie or as a bearer token; `client` is the address for limits."""

    known: Known
    client: str
    caller: Caller = VISITOR
    token: str | None = None
    by_cookie: bool = False

    @property
    def logged_in(self) -> bool:
        return self.known is Known.SESSION


def who(request: Request) -> Who:
    """Whom the door has seen."""
    found: Who = request.state.who
    return found


def session_of(request: Request) -> Caller:
    """The account behind a request. Raises a 401 problem with the way back, or 503 while nobody can know."""
    seen = who(request)
    if seen.known is Known.UNKNOWABLE:
        raise unavailable()
    if not seen.logged_in:
        raise login_needed(request, expired=seen.known is Known.EXPIRED)
    return seen.caller


def login_needed(request: Request, *, expired: bool) -> Problem:
    path = request.url.path
    if path.startswith(("/v1/", "/mon-compte")) and path not in ENTRIES and not path.startswith(STAFF_PATHS):
        target = login_path("/mon-compte")
    else:
        # The forms of a page are sent to the page's own address.
        target = login_path(path, request.url.query if request.method in SAFE_METHODS else "")
    if expired:
        detail = "Votre session a expiré. Reconnectez-vous pour continuer."
        return Problem(401, "session-expiree", "Session expirée", detail, connexion=target)
    return Problem(401, "connexion-requise", "Connexion requise", "Connectez-vous pour continuer.", connexion=target)


class Door:
    """What is refused is answered by `app.state.refuse(request, problem)`, in the format that the caller reads."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        public_url: str,
        trusted: Sequence[Network],
        per_ip: Limit,
        writes: Limit,
        callbacks: Limit,
    ) -> None:
        self.app = app
        self._public_url = public_url
        self._public = urlsplit(public_url)
        self._trusted = trusted
        self._per_ip = per_ip
        self._writes = writes
        self._callbacks = callbacks
        self._hsts = public_url.startswith("https://")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                self._secure(headers, scope["path"])
            await send(message)

        state = scope.setdefault("state", {})
        if scope["path"].startswith(_UNGUARDED):
            state["who"] = Who(Known.VISITOR, "")
            self._move_to_public_url(scope)
            return await self.app(scope, receive, with_headers)
        request = Request(scope)
        try:
            await self._enter(request)
        except Problem as problem:
            state.setdefault("who", Who(Known.VISITOR, ""))
            answer: ASGIApp = await request.app.state.refuse(request, problem)
            return await answer(scope, receive, with_headers)
        self._move_to_public_url(scope)
        await self.app(scope, receive, with_headers)

    def _move_to_public_url(self, scope: Scope) -> None:
        """As if the request had been sent to PUBLIC_URL: the client writes Host, and the framework makes the addresses
        of its redirects of it. In place: the router writes into the scope which route it found, and metrics and traces
        read it there."""
        headers = [(name, value) for name, value in scope["headers"] if name != b"host"]
        scope["scheme"] = self._public.scheme
        scope["headers"] = [(b"host", self._public.netloc.encode()), *headers]

    async def _enter(self, request: Request) -> None:
        """Sets request.state.who, or raises the Problem that ends the request here."""
        headers = request.headers
        announced = headers.get("content-length", "")
        if announced.isdigit() and int(announced) > MAX_BODY:
            detail = f"L’envoi dépasse la limite de {MAX_BODY // 1024} Kio."
            raise Problem(413, "trop-volumineux", "Envoi trop volumineux", detail)
        peer = request.client.host if request.client else ""
        # A proxy may add a line of its own instead of prolonging the client's: together they are one list.
        forwarded = ",".join(headers.getlist("x-forwarded-for"))
        client = limit_key(client_address(peer, forwarded, self._trusted))
        if request.url.path.startswith(CALLBACK_PATHS):
            request.state.who = await self._provider(request, client)
            return
        token, by_cookie = _credentials(headers, request.cookies)
        if not may_write(request.method, request.url.path, headers, by_cookie=by_cookie, public_url=self._public_url):
            detail = "Cette demande vient d’un autre site. Revenez sur la page et recommencez."
            raise Problem(403, "origine-refusee", "Demande refusée", detail)
        request.state.who = await self._identify(request, token, by_cookie, client)

    async def _provider(self, request: Request, client: str) -> Who:
        """A callback: its signature, which notifications checks, says who calls. No cookie, no token is looked at."""
        limits: Limits = request.app.state.deps.limits
        with suppress(MemoryAway):
            await limits.check(self._callbacks, client)
        return Who(Known.VISITOR, client)

    async def _identify(self, request: Request, token: str | None, by_cookie: bool, client: str) -> Who:
        deps = request.app.state.deps
        sessions: Sessions = deps.sessions
        limits: Limits = deps.limits
        usable = token if token and _TOKEN.fullmatch(token) else None
        try:
            entree = await sessions.enter(usable, self._per_ip, client)
            seconds = retry_after(self._per_ip, entree.used, entree.left_ms)
            if seconds is not None:
                raise too_many(seconds)
            if token is None:
                return Who(Known.VISITOR, client)
            caller = await _caller(entree, deps.droits, deps.clock.now())
            if caller is not None and request.method not in SAFE_METHODS:
                await limits.check(self._writes, caller.compte_id)
        except (MemoryAway, DroitsInconnus):
            # Limits fail open: what needs a session is refused anyway, what does not must go on.
            return Who(Known.UNKNOWABLE if token else Known.VISITOR, client, token=token, by_cookie=by_cookie)
        if caller is None:
            return Who(Known.EXPIRED, client, token=token, by_cookie=by_cookie)
        return Who(Known.SESSION, client, caller, token, by_cookie)

    def _secure(self, headers: MutableHeaders, path: str) -> None:
        # A preview shows a mail with its inline styles: what that needs, the service that shows it knows.
        if not (path.startswith(STAFF_PATHS) and "content-security-policy" in headers):
            headers["content-security-policy"] = CSP
        headers["x-content-type-options"] = "nosniff"
        headers["referrer-policy"] = "strict-origin-when-cross-origin"
        headers["x-frame-options"] = "DENY"
        headers["cross-origin-opener-policy"] = "same-origin"
        headers["permissions-policy"] = "camera=(), microphone=(), payment=(), usb=()"
        if self._hsts:
            headers["strict-transport-security"] = "max-age=31536000; includeSubDomains"


async def _caller(entree: Entree, comptes: DroitsDesComptes, now: dt.datetime) -> Caller | None:
    """On whose behalf a session acts; None without a session, after its end, and after the end of its account."""
    session = entree.session
    if session is None:
        return None
    droits = entree.droits or await comptes.chercher(session.compte_id)
    if not droits.vivant or session.finie(droits.roles, now):
        return None
    return Caller(session.compte_id, droits.roles)


def _credentials(headers: Headers, cookies: Mapping[str, str]) -> tuple[str | None, bool]:
    """(token, came as a cookie). A bearer token wins: a program that sends one means it."""
    scheme, _, bearer = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and bearer:
        return bearer.strip(), False
    cookie = cookies.get(COOKIE)
    return (cookie, True) if cookie else (None, False)
