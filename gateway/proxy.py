"""/v1/… to the services: the hot path. Bytes pass through both ways, the public's credentials do not."""

from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response

from gateway.cache import is_public
from gateway.deps import deps_of
from gateway.domain import Role
from gateway.door import Known, Who, login_needed, session_of, who
from gateway.upstream import FORWARDED, VISITOR, Answer, Caller, ServiceAway
from kit.problems import Problem, not_found, unavailable

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
}
"""Prefix of public paths → the service that answers. What is not here does not exist for the public."""

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


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
    if seen.logged_in:
        return seen.caller
    path = request.url.path
    if seen.known is Known.VISITOR or path.startswith("/v1/desabonnements/"):
        return VISITOR
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
    headers = {name: request.headers[name] for name in FORWARDED if name in request.headers}
    body = await request.body()
    raw_path = request.scope.get("raw_path") or request.url.path.encode()
    try:
        return await deps_of(request).services.call(
            service,
            request.method,
            raw_path.partition(b"?")[0].decode("ascii"),
            caller,
            query=request.url.query,
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
        raise not_found("Cette adresse")
    caller = caller_of(request, who(request))
    if service == "moderation" and Role.MODERATEUR.value not in caller.roles:
        session_of(request)
        raise Problem(403, "acces-refuse", "Accès refusé", "Vous n’avez pas le droit de faire cela.")
    deps = deps_of(request)
    if caller is VISITOR and is_public(request.method, path):
        page = await deps.reader.get(service, path, request.url.query)
        return page.answer.response()
    if request.method == "POST" and path == "/v1/profils" and caller is not VISITOR:
        # Subscribing is the opt-in. Consent first: an alert without it would not be sent; without a profil it is void.
        await deps.gestion.consentir_aux_alertes(caller.compte_id)
    answer = await forward(request, service, caller)
    if answer.status == 401:
        raise login_needed(request, expired=False)
    return answer.response({"cache-control": "private, no-store"} if caller is not VISITOR else None)


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
