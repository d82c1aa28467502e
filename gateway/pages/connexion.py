"""Logging in: an address, then the code that was sent to it. No password anywhere."""

from urllib.parse import quote, unquote, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.api import DEMANDE, end_present_session, give_cookie, give_demande, take_cookie, take_demande
from gateway.comptes import CODE_MINUTES
from gateway.deps import deps_of
from gateway.domain import CODE_LIFETIME_S
from gateway.door import who
from gateway.door_rules import local_path
from gateway.pages.calls import form, refused
from gateway.pages.forms import Saisie
from gateway.pages.rendering import render
from kit.http.problems import Problem

# The address waits with its owner between the two steps: not in a URL, where logs would keep it.
_ADDRESS = "__Host-adresse"


def _address(request: Request) -> str:
    return unquote(request.cookies.get(_ADDRESS, ""))


def _page(request: Request, template: str, saisie: Saisie, retour: str, problem: Problem | None = None) -> Response:
    shown = refused(problem, ("email", "code")) if problem else None
    return render(
        request,
        template,
        status=shown.status if shown else 200,
        saisie=saisie,
        retour=retour,
        minutes=CODE_MINUTES,
        adresse=_address(request),
        erreurs=shown.erreurs if shown else {},
        generales=shown.generales if shown else [],
    )


async def connexion(request: Request) -> Response:
    retour = local_path(request.query_params.get("retour"))
    if who(request).logged_in:
        return RedirectResponse(retour, status_code=303)
    return _page(request, "connexion.html", Saisie(), retour)


async def demander(request: Request) -> Response:
    saisie = await form(request)
    retour = local_path(saisie.un("retour"))
    address = saisie.un("email")
    try:
        demande = await deps_of(request).gestion.demander_code(address, who(request).client)
    except Problem as problem:
        if problem.status not in (422, 429):
            raise
        return _page(request, "connexion.html", saisie, retour, problem)
    response = RedirectResponse(f"/connexion/code?{urlencode({'retour': retour})}", status_code=303)
    response.set_cookie(
        _ADDRESS, quote(address), max_age=CODE_LIFETIME_S, path="/", secure=True, httponly=True, samesite="lax"
    )
    give_demande(response, demande)
    return response


async def code(request: Request) -> Response:
    retour = local_path(request.query_params.get("retour"))
    if not _address(request):
        return RedirectResponse("/connexion", status_code=303)
    return _page(request, "code.html", Saisie(), retour)


async def entrer(request: Request) -> Response:
    saisie = await form(request)
    retour = local_path(saisie.un("retour"))
    address = _address(request)
    if not address:
        return RedirectResponse("/connexion", status_code=303)
    deps = deps_of(request)
    try:
        demande = request.cookies.get(DEMANDE, "")
        entered = await deps.gestion.ouvrir_session(address, saisie.un("code"), demande, who(request).client)
    except Problem as problem:
        if problem.status not in (422, 429):
            raise
        return _page(request, "code.html", saisie, retour, problem)
    await end_present_session(request, deps)
    response = RedirectResponse(retour, status_code=303)
    give_cookie(response, entered.session, deps.clock.now())
    response.delete_cookie(_ADDRESS, path="/", secure=True, httponly=True, samesite="lax")
    take_demande(response)
    return response


async def deconnexion(request: Request) -> Response:
    await end_present_session(request, deps_of(request))
    response = RedirectResponse("/?message=deconnecte", status_code=303)
    take_cookie(response)
    return response


PAGES = (
    ("/connexion", ("GET",), connexion),
    ("/connexion", ("POST",), demander),
    ("/connexion/code", ("GET",), code),
    ("/connexion/code", ("POST",), entrer),
    ("/deconnexion", ("POST",), deconnexion),
)
