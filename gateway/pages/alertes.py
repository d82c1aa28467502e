"""Alerts: subscribing (sending the form is the opt-in), what is online for one already, changing it."""

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.deps import deps_of
from gateway.door import session_of
from gateway.pages import deja_en_ligne, forms
from gateway.pages.calls import ask, form, refused, segment, try_ask
from gateway.pages.forms import Saisie
from gateway.pages.rendering import render
from gateway.upstream import Answer, Caller
from kit.http.problems import Problem, not_found

_CHAMPS = ("sens", "natures", "domaines", "categories", "creneaux", "certifications", "quartier", "rayon_km")
_RAYONS = ("1", "2", "5", "10", "20", "50")
_CHANGEE = "Cette alerte a changé entre-temps. Voici ce qui est enregistré maintenant\u00a0: refaites vos changements."


def _page(request: Request, saisie: Saisie, problem: Problem | None = None, *, profil: Any = None) -> Response:
    """`profil`: the alert that is changed; None for a new one."""
    shown = refused(problem, _CHAMPS) if problem else None
    rayons = dict.fromkeys((*_RAYONS, saisie.un("rayon_km", "5")))
    return render(
        request,
        "alerte.html",
        status=shown.status if shown else 200,
        saisie=saisie,
        profil=profil,
        rayons=[(km, f"{km.replace('.', ',')}\u00a0km") for km in rayons],
        recherche=forms.filtres(request.query_params),
        erreurs=shown.erreurs if shown else {},
        generales=shown.generales if shown else [],
    )


async def nouvelle(request: Request) -> Response:
    """Filled in with the search that somebody came from."""
    session_of(request)
    return _page(request, forms.profil_de_recherche(forms.filtres(request.query_params)))


async def abonner(request: Request) -> Response:
    caller = session_of(request)
    saisie = await form(request)

    async def creer() -> Answer | Problem:
        return await try_ask(request, "matching", "POST", "/v1/profils", caller, forms.profil(saisie))

    answer = await deps_of(request).consentements.abonner(caller.compte_id, creer)
    if isinstance(answer, Problem):
        return _page(request, saisie, answer)
    said = "alerte-creee" if answer.status == 201 else "alerte-connue"
    return RedirectResponse(f"/alertes/{answer.json()['profil_id']}?message={said}", status_code=303)


async def _mine(request: Request, caller: Caller) -> tuple[str, dict[str, Any]]:
    path = f"/v1/profils/{segment(request.path_params['profil_id'])}"
    found = (await ask(request, "matching", "GET", path, caller)).json()
    if not found.get("actif"):
        raise not_found("Cette alerte")
    return path, found


async def montrer(request: Request) -> Response:
    """The alert, and what is online for it already."""
    caller = session_of(request)
    path, found = await _mine(request, caller)
    annonces = await deja_en_ligne.trouver(request, caller, path, found)
    return render(request, "alerte_en_ligne.html", p=found, annonces=annonces)


async def modifier(request: Request) -> Response:
    _, found = await _mine(request, session_of(request))
    return _page(request, forms.profil_saisi(found), profil=found)


async def enregistrer(request: Request) -> Response:
    caller = session_of(request)
    path, found = await _mine(request, caller)
    saisie = await form(request)
    # The version that the form was made from: an alert that was stopped meanwhile does not come back.
    version = forms.page_number(saisie.un("version", "1"))
    answer = await try_ask(request, "matching", "PUT", path, caller, forms.profil(saisie), if_match=f'"{version}"')
    if isinstance(answer, Problem):
        if answer.status == 412:
            changed = Problem(409, answer.slug, answer.title, _CHANGEE)
            return _page(request, forms.profil_saisi(found), changed, profil=found)
        return _page(request, saisie, answer, profil=found)
    return RedirectResponse(f"/alertes/{segment(str(found['profil_id']))}?message=alerte-modifiee", status_code=303)


PAGES = (
    ("/alertes/nouvelle", ("GET",), nouvelle),
    ("/alertes/nouvelle", ("POST",), abonner),
    ("/alertes/{profil_id:str}", ("GET",), montrer),
    ("/alertes/{profil_id:str}/modifier", ("GET",), modifier),
    ("/alertes/{profil_id:str}/modifier", ("POST",), enregistrer),
)
