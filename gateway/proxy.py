"""/v1/… to the services: the hot path. Bytes pass through both ways, the public's credentials do not."""

from collections.abc import Mapping, Sequence
from urllib.parse import quote, unquote

import orjson
from starlette.requests import Request
from starlette.responses import Response

from contracts.notifications import Canal
from gateway.deps import deps_of
from gateway.domain import PREUVE_NAVIGATEUR, PREUVE_NAVIGATEUR_RETIRE, Role
from gateway.door import Known, Who, login_needed, session_of, who
from gateway.door_rules import CALLBACK_PATHS
from gateway.preferences import suivre
from gateway.public_reads import is_public, lecture
from gateway.upstream import FORWARDED, SIGNED, VISITOR, Answer, Caller, ServiceAway, as_problem
from kit.http.problems import Problem, allowed, not_found, unavailable, wrong_method

ROUTES = {
    "/v1/associations": "annonces",
    "/v1/annonces": "annonces",
    "/v1/reponses": "annonces",
    "/v1/mes/associations": "annonces",
    "/v1/mes/annonces": "annonces",
    "/v1/mes/reponses": "annonces",
    "/v1/moderation": "moderation",
    "/v1/profils": "matching",
    "/v1/desabonnements": "notifications",
    "/v1/mes/envois": "notifications",
    "/v1/mes/preferences": "notifications",
    "/v1/mes/push": "notifications",
    "/v1/mes/flux": "notifications",
    "/v1/push": "notifications",
    "/v1/reponses-par-lien": "notifications",
    "/v1/rappels": "notifications",
    "/v1/notifications": "notifications",
}
"""Prefix of public paths → the service that answers. What is not here does not exist for the public."""

_STAFF = ("/v1/moderation", "/v1/notifications")
# A signed token or a signature in the request says on whose behalf it acts, whoever is logged in here.
_BY_TOKEN = ("/v1/desabonnements/", "/v1/reponses-par-lien/", *CALLBACK_PATHS)

# Readers of feeds come back every hour or less: a quarter of it late is not late.
_FEED_FRESH_S = 900

# The others too: the service says 405, and what its address takes.
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]


def route(path: str) -> str | None:
    """The service that answers for a decoded path; None for what the public may not reach."""
    segments = path.split("/")
    # The service must read the same path as this table did: nothing that a second decoding or a clean-up would change.
    if any(s in ("", ".", "..") for s in segments[1:-1]) or segments[-1] in (".", ".."):
        return None
    if "\\" in path or unquote(path) != path or "interne" in segments or not path.isprintable():
        return None
    for size in (3, 4):
        service = ROUTES.get("/".join(segments[:size]))
        if service is not None:
            return service
    return None


def caller_of(request: Request, seen: Who) -> Caller:
    """On whose behalf the services are called. Raises 401 or 503 for credentials that nobody can vouch for."""
    path = request.url.path
    if seen.known is Known.VISITOR or path.startswith(_BY_TOKEN):
        return VISITOR
    if seen.logged_in:
        return seen.caller
    if seen.known is Known.UNKNOWABLE:
        if is_public(request.method, path):
            return VISITOR
        raise unavailable()
    # A cookie that has outlived its session must not hide public pages; a program's token must not be ignored.
    if seen.by_cookie and is_public(request.method, path):
        return VISITOR
    raise login_needed(request, expired=True)


async def forward(request: Request, service: str, caller: Caller) -> Answer:
    """The request, as it is, to `service`. Raises a 503 problem when it does not answer."""
    names = (*FORWARDED, *SIGNED) if request.url.path.startswith(CALLBACK_PATHS) else FORWARDED
    headers = {name: request.headers[name] for name in names if name in request.headers}
    body = await request.body()
    raw_path = request.scope.get("raw_path") or request.url.path.encode()
    path, query = raw_path.partition(b"?")[0].decode("ascii"), request.url.query
    if is_public(request.method, request.url.path):
        asked = lecture(request.url.path, query)
        path, query = asked.path, asked.query
    try:
        return await deps_of(request).services.call(
            service,
            request.method,
            path,
            caller,
            query=query,
            body=body,
            headers=headers,
        )
    except ServiceAway as error:
        raise error.problem(request.method) from error


async def api(request: Request) -> Response:
    """Every /v1/… path that the gateway does not answer itself."""
    path = request.url.path
    service = route(path)
    if service is None:
        ours = allowed((r for r in request.app.routes if getattr(r, "endpoint", None) is not api), request.scope)
        if ours:
            # The gateway answers this address itself, in another way than was asked.
            raise wrong_method(ours)
        raise not_found("Cette adresse")
    caller = caller_of(request, who(request))
    if _within(path, _STAFF) and Role.MODERATEUR.value not in caller.roles:
        session_of(request)
        raise Problem(403, "acces-refuse", "Accès refusé", "Vous n’avez pas le droit de faire cela.")
    deps = deps_of(request)
    if caller is VISITOR and is_public(request.method, path):
        page = await deps.reader.get(service, path, request.url.query)
        return page.answer.response()
    answer = await _with_consents(request, service, caller)
    if answer.status == 401:
        raise login_needed(request, expired=False)
    return answer.response({"cache-control": "private, no-store"} if caller is not VISITOR else None)


async def _with_consents(request: Request, service: str, caller: Caller) -> Answer:
    """`forward`, and the consents that what was asked gives or takes back."""

    async def send() -> Answer:
        return await forward(request, service, caller)

    consents = deps_of(request).consentements
    asked = (request.method, request.url.path)
    if caller is VISITOR:
        return await send()
    if asked == ("POST", "/v1/profils"):
        return await consents.abonner(caller.compte_id, send)
    if asked == ("PUT", "/v1/mes/preferences"):
        before = await deps_of(request).services.ask("notifications", "GET", request.url.path, caller)
        answer = await send()
        if answer.status < 300 and before.status < 300:
            await suivre(consents, caller.compte_id, before.json(), _object(await request.body()))
            # As they are now that the consents have followed.
            after = await deps_of(request).services.ask("notifications", "GET", request.url.path, caller)
            return after if after.status < 300 else answer
        return answer
    answer = await send()
    if asked == ("POST", "/v1/mes/push") and answer.status < 300:
        await consents.donner(caller.compte_id, Canal.PUSH, PREUVE_NAVIGATEUR, renouveler=True)
    elif asked == ("DELETE", "/v1/mes/push") and answer.status < 300:
        await consents.retirer(caller.compte_id, Canal.PUSH, PREUVE_NAVIGATEUR_RETIRE)
    return answer


def _object(body: bytes) -> Mapping[str, object]:
    """A body that the service has taken; {} for what it takes and we do not."""
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _within(path: str, prefixes: Sequence[str]) -> bool:
    return any(path == prefix or path.startswith(f"{prefix}/") for prefix in prefixes)


async def flux(request: Request) -> Response:
    """/flux/….xml: the feed of a profil, for whoever has its secret address; nobody is logged in there."""
    return await _by_address(request, "/v1/flux")


async def calendrier(request: Request) -> Response:
    """/calendrier/….ics: what somebody has promised, for whoever has its secret address."""
    return await _by_address(request, "/v1/calendrier")


async def _by_address(request: Request, prefix: str) -> Response:
    deps = deps_of(request)
    headers = {name: request.headers[name] for name in ("if-none-match",) if name in request.headers}
    path = f"{prefix}/{quote(request.path_params['jeton'], safe='')}"
    try:
        answer = await deps.services.call("notifications", "GET", path, VISITOR, headers=headers)
    except ServiceAway as error:
        raise unavailable() from error
    if answer.status >= 400:
        raise as_problem(answer)
    return answer.response({"cache-control": f"private, max-age={_FEED_FRESH_S}"})


async def moderation(request: Request) -> Response:
    """/moderation/…: the moderators' own pages. Somebody else learns nothing but that they may not."""
    caller = session_of(request)
    if Role.MODERATEUR.value not in caller.roles:
        raise Problem(403, "acces-refuse", "Accès refusé", "Cette page est réservée aux modérateurs de la ville.")
    path = request.url.path
    if any(s in (".", "..") for s in path.split("/")) or "\\" in path or unquote(path) != path or "//" in path:
        raise not_found("Cette page")
    answer = await forward(request, "moderation", caller)
    return answer.response({"cache-control": "private, no-store"} if "/static/" not in path else None)
