"""A phone number in two steps, as a login: the number, then the code that was sent to it."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.deps import deps_of
from gateway.door import session_of, who
from gateway.pages import preferences
from gateway.pages.calls import form, refused
from gateway.pages.forms import Saisie
from gateway.pages.rendering import render
from kit.http.problems import Problem

_BACK = "/mon-compte/preferences?message={}#telephone"


def _page(request: Request, saisie: Saisie, problem: Problem | None = None) -> Response:
    shown = refused(problem, ("code",)) if problem else None
    return render(
        request,
        "telephone.html",
        status=shown.status if shown else 200,
        saisie=saisie,
        erreurs=shown.erreurs if shown else {},
        generales=shown.generales if shown else [],
    )


async def demander(request: Request) -> Response:
    caller = session_of(request)
    saisie = await form(request)
    try:
        await deps_of(request).telephones.demander(caller.compte_id, saisie.un("numero"), who(request).client)
    except Problem as problem:
        if problem.status >= 500:
            raise
        return await preferences.refuser(request, caller, problem, numero=saisie.un("numero"))
    return RedirectResponse("/mon-compte/telephone", status_code=303)


async def code(request: Request) -> Response:
    session_of(request)
    return _page(request, Saisie())


async def confirmer(request: Request) -> Response:
    caller = session_of(request)
    saisie = await form(request)
    try:
        await deps_of(request).telephones.confirmer(caller.compte_id, saisie.un("code"))
    except Problem as problem:
        if problem.status >= 500:
            raise
        return _page(request, saisie, problem)
    return RedirectResponse(_BACK.format("telephone-verifie"), status_code=303)


async def retirer(request: Request) -> Response:
    caller = session_of(request)
    await deps_of(request).telephones.retirer(caller.compte_id)
    return RedirectResponse(_BACK.format("telephone-retire"), status_code=303)


PAGES = (
    ("/mon-compte/telephone", ("GET",), code),
    ("/mon-compte/telephone", ("POST",), confirmer),
    ("/mon-compte/telephone/numero", ("POST",), demander),
    ("/mon-compte/telephone/retrait", ("POST",), retirer),
)
