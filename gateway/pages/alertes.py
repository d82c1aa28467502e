"""Subscribing to alerts: sending the form is the opt-in."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.deps import deps_of
from gateway.door import session_of
from gateway.pages import forms
from gateway.pages.calls import form, refused, try_ask
from gateway.pages.forms import Saisie
from gateway.pages.rendering import render
from gateway.upstream import Answer
from kit.problems import Problem

_CHAMPS = ("sens", "natures", "domaines", "categories", "creneaux", "certifications", "quartier", "rayon_km")


def _page(request: Request, saisie: Saisie, problem: Problem | None = None) -> Response:
    shown = refused(problem, _CHAMPS) if problem else None
    return render(
        request,
        "alerte.html",
        status=shown.status if shown else 200,
        saisie=saisie,
        erreurs=shown.erreurs if shown else {},
        generales=shown.generales if shown else [],
    )


async def nouvelle(request: Request) -> Response:
    session_of(request)
    return _page(request, Saisie({"sens": ["besoin"], "rayon_km": ["5"], "a_distance": ["oui"]}))


async def abonner(request: Request) -> Response:
    caller = session_of(request)
    saisie = await form(request)

    async def creer() -> Answer | Problem:
        return await try_ask(request, "matching", "POST", "/v1/profils", caller, forms.profil(saisie))

    answer = await deps_of(request).consentements.abonner(caller.compte_id, creer)
    if isinstance(answer, Problem):
        return _page(request, saisie, answer)
    return RedirectResponse("/mon-compte?message=alerte-creee#mes-alertes", status_code=303)


PAGES = (
    ("/alertes/nouvelle", ("GET",), nouvelle),
    ("/alertes/nouvelle", ("POST",), abonner),
)
