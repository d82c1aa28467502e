"""Home, the list of ads, and one ad with its answer form."""

import asyncio
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.cache import Page
from gateway.deps import deps_of
from gateway.door import session_of, who
from gateway.pages import forms
from gateway.pages.calls import ask, form, refused, segment, try_ask
from gateway.pages.forms import Saisie
from gateway.pages.rendering import heure, render
from gateway.upstream import as_problem
from kit.http.problems import Problem

_TAILLE = 20
_CHAMPS_REPONSE = ("message", "quantite", "prenom")


def _since(page: Page) -> str | None:
    """ "5 décembre à 14:30" when the content is out of date."""
    return heure(page.stale_since) if page.stale_since is not None else None


async def _search(request: Request, query: str) -> Page:
    """A public list, the same for everybody, so that it comes from the cache for people who are logged in too."""
    page = await deps_of(request).reader.get("annonces", "/v1/annonces", query)
    if page.answer.status >= 400:
        raise as_problem(page.answer)
    return page


async def accueil(request: Request) -> Response:
    newest, urgent = await asyncio.gather(
        _search(request, forms.recherche({}, taille=6)),
        _search(request, forms.recherche({"urgent": "true"}, taille=3)),
    )
    recentes, urgentes = newest.answer.json(), urgent.answer.json()
    return render(
        request,
        "accueil.html",
        recentes=recentes["annonces"],
        urgentes=urgentes["annonces"],
        total=recentes["total"],
        facettes=recentes.get("facettes", {}),
        depuis=_since(newest) or _since(urgent),
    )


async def liste(request: Request) -> Response:
    chosen = forms.filtres(request.query_params)
    number = forms.page_number(request.query_params.get("page", "1"))
    page = await _search(request, forms.recherche(chosen, number, _TAILLE))
    found = page.answer.json()
    total = int(str(found["total"]))
    return render(
        request,
        "annonces.html",
        filtres=chosen,
        annonces=found["annonces"],
        facettes=found.get("facettes", {}),
        total=total,
        page=number,
        pages=max(1, -(-total // _TAILLE)),
        lien=lambda n: "/annonces?" + urlencode({**chosen, "page": n}),
        alerte="/alertes/nouvelle" + ("?" + urlencode(chosen) if chosen else ""),
        depuis=_since(page),
    )


def _path(request: Request) -> str:
    return f"/v1/annonces/{segment(request.path_params['annonce_id'])}"


async def _read(request: Request, path: str) -> tuple[dict[str, Any], str | None]:
    """(what lies at `path`, since when it is out of date); its author sees more than a visitor."""
    seen = who(request)
    if seen.logged_in:
        return (await ask(request, "annonces", "GET", path, seen.caller)).json(), None
    page = await deps_of(request).reader.get("annonces", path)
    if page.answer.status >= 400:
        raise as_problem(page.answer)
    return page.answer.json(), _since(page)


async def annonce(request: Request) -> Response:
    found, since = await _read(request, _path(request))
    return await _show(request, found, Saisie(), since=since)


async def _show(
    request: Request, found: dict[str, Any], saisie: Saisie, *, since: str | None = None, problem: Problem | None = None
) -> Response:
    mine = bool(found.get("gerable"))
    reponses: Any = []
    if mine:
        path = f"{_path(request)}/reponses"
        answer = await try_ask(request, "annonces", "GET", path, who(request).caller)
        if isinstance(answer, Problem):
            # A moderator sees the whole ad, but the answers are the author's alone.
            mine = False
        else:
            reponses = answer.json().get("reponses", [])
    shown = refused(problem, _CHAMPS_REPONSE) if problem else None
    return render(
        request,
        "annonce.html",
        status=problem.status if problem else 200,
        a=found,
        mienne=mine,
        reponses=reponses,
        saisie=saisie,
        erreurs=shown.erreurs if shown else {},
        generales=shown.generales if shown else [],
        depuis=since,
    )


async def repondre(request: Request) -> Response:
    caller = session_of(request)
    saisie = await form(request)
    path = f"{_path(request)}/reponses"
    answer = await try_ask(request, "annonces", "POST", path, caller, forms.reponse(saisie))
    if isinstance(answer, Problem):
        if answer.status == 404:
            raise answer
        found, _ = await _read(request, _path(request))
        return await _show(request, found, saisie, problem=answer)
    said = "liste-attente" if answer.json().get("etat") == "en_attente" else "reponse-envoyee"
    return RedirectResponse(f"/mon-compte?message={said}#mes-reponses", status_code=303)


async def association(request: Request) -> Response:
    found, since = await _read(request, f"/v1/associations/{segment(request.path_params['association_id'])}")
    return render(request, "association.html", a=found, depuis=since)


PAGES = (
    ("/", ("GET",), accueil),
    ("/annonces", ("GET",), liste),
    ("/associations/{association_id:str}", ("GET",), association),
    ("/annonces/{annonce_id:str}", ("GET",), annonce),
    ("/annonces/{annonce_id:str}", ("POST",), repondre),
)
