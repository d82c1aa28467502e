"""The sign-up of an association: its seven commitments, shown and signed; and its correction."""

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from contracts import references
from gateway.door import session_of
from gateway.pages import forms
from gateway.pages.calls import ask, form, refused, segment, try_ask
from gateway.pages.forms import Saisie
from gateway.pages.rendering import render
from gateway.upstream import Caller
from kit.http.problems import Problem, not_found

_CHAMPS = ("nom", "rna", "siren", "description", "domaines", "quartier", "engagement")


def _page(
    request: Request, saisie: Saisie, problem: Problem | None = None, association: dict[str, Any] | None = None
) -> Response:
    shown = refused(problem, _CHAMPS) if problem else None
    return render(
        request,
        "association_formulaire.html",
        status=shown.status if shown else 200,
        saisie=saisie,
        association=association,
        engagements=list(references.engagements().values()),
        engagement_version=references.version_engagement(),
        erreurs=shown.erreurs if shown else {},
        generales=shown.generales if shown else [],
    )


async def nouvelle(request: Request) -> Response:
    session_of(request)
    return _page(request, Saisie())


async def inscrire(request: Request) -> Response:
    caller = session_of(request)
    saisie = await form(request)
    body = forms.association(saisie, references.version_engagement())
    answer = await try_ask(request, "annonces", "POST", "/v1/associations", caller, body)
    if isinstance(answer, Problem):
        return _page(request, saisie, answer)
    return RedirectResponse("/mon-compte?message=association-inscrite#mes-associations", status_code=303)


async def _mine(request: Request, caller: Caller) -> tuple[str, dict[str, Any]]:
    path = f"/v1/associations/{segment(request.path_params['association_id'])}"
    found = (await ask(request, "annonces", "GET", path, caller)).json()
    if not found.get("gerable"):
        raise not_found("Cette association")
    return path, found


async def modifier(request: Request) -> Response:
    _, found = await _mine(request, session_of(request))
    return _page(request, forms.association_saisie(found), association=found)


async def enregistrer(request: Request) -> Response:
    caller = session_of(request)
    path, found = await _mine(request, caller)
    saisie = await form(request)
    version = forms.page_number(saisie.un("version", str(found["version"])))
    answer = await try_ask(
        request, "annonces", "PUT", path, caller, forms.association_modifiee(saisie), if_match=f'"{version}"'
    )
    if isinstance(answer, Problem):
        return _page(request, saisie, answer, found)
    return RedirectResponse("/mon-compte?message=association-modifiee#mes-associations", status_code=303)


PAGES = (
    ("/associations/nouvelle", ("GET",), nouvelle),
    ("/associations/nouvelle", ("POST",), inscrire),
    ("/associations/{association_id:str}/modifier", ("GET",), modifier),
    ("/associations/{association_id:str}/modifier", ("POST",), enregistrer),
)
