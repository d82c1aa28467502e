"""My account: what I posted, what was answered, what I answered, what I am alerted about; and leaving."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.api import take_cookie
from gateway.deps import deps_of
from gateway.door import session_of
from gateway.pages import forms
from gateway.pages.calls import ask, form, sections, segment, try_ask
from gateway.pages.forms import Saisie
from gateway.pages.outcomes import CANAUX, sort
from gateway.pages.rendering import render
from gateway.upstream import Caller
from kit.http.problems import Problem, not_found

_SECTIONS = {
    "associations": ("annonces", "/v1/mes/associations?taille=50"),
    "annonces": ("annonces", "/v1/mes/annonces?taille=50"),
    "reponses": ("annonces", "/v1/mes/reponses?taille=50"),
    "profils": ("matching", "/v1/profils"),
    "envois": ("notifications", "/v1/mes/envois"),
}
_WITH_ANSWERS = frozenset({"deposee", "a_corriger", "publiee", "pourvue", "expiree"})
"""States of an ad, once it was published, in which its answers can be decided."""
_ACTIONS = {
    ("annonces", "retrait"): "/v1/annonces/{id}/retrait",
    ("annonces", "prolongation"): "/v1/annonces/{id}/prolongation",
    ("annonces", "places"): "/v1/annonces/{id}/places",
    ("reponses", "acceptation"): "/v1/reponses/{id}/acceptation",
    ("reponses", "refus"): "/v1/reponses/{id}/refus",
    ("reponses", "confirmation"): "/v1/reponses/{id}/confirmation",
    ("reponses", "annulation"): "/v1/reponses/{id}/annulation",
}
"""(kind of thing, what to do) → the path of annonces. A button of the page is one of these, and nothing else."""


_BODIES: Mapping[tuple[str, str], Callable[[Saisie], dict[str, Any]]] = {
    ("annonces", "places"): lambda saisie: {"places": forms.number(saisie.un("places"))},
    ("reponses", "refus"): lambda saisie: {"mot": saisie.un("mot")},
}
"""What a form beside its button sends along."""


async def compte(request: Request) -> Response:
    return await _page(request)


async def _page(request: Request, problem: Problem | None = None) -> Response:
    """`problem`: why the button that was pressed changed nothing."""
    caller = session_of(request)
    found = await sections(request, caller, _SECTIONS)
    annonces = (found["annonces"] or {}).get("annonces", [])
    return render(
        request,
        "mon_compte.html",
        status=problem.status if problem else 200,
        refus=_reason(problem) if problem else "",
        associations=(found["associations"] or {}).get("associations", []),
        annonces=annonces,
        recues=await _received(request, caller, annonces),
        reponses=(found["reponses"] or {}).get("reponses", []),
        profils=[p for p in (found["profils"] or {}).get("profils", []) if p.get("actif")],
        envois=[(envoi, sort(envoi)) for envoi in (found["envois"] or {}).get("envois", [])[:5]],
        canaux=CANAUX,
        absents=[name for name, section in found.items() if section is None],
    )


async def _received(request: Request, caller: Caller, annonces: list[Any]) -> dict[str, list[Any]]:
    """The answers to each of my ads that can have some: id of the ad → answers."""
    ids = [a["annonce_id"] for a in annonces if a["etat"] in _WITH_ANSWERS and a.get("publiee_at")]

    async def one(annonce_id: str) -> list[Any]:
        try:
            answer = await ask(request, "annonces", "GET", f"/v1/annonces/{segment(annonce_id)}/reponses", caller)
        except Problem as problem:
            if problem.status not in (404, 503):
                raise
            return []
        listed = answer.json().get("reponses", [])
        return listed if isinstance(listed, list) else []

    return dict(zip(ids, await asyncio.gather(*map(one, ids)), strict=True))


async def agir(request: Request) -> Response:
    caller = session_of(request)
    kind, name = request.path_params["sorte"], request.path_params["action"]
    template = _ACTIONS.get((kind, name))
    if template is None:
        raise not_found("Cette action")
    path = template.format(id=segment(request.path_params["chose_id"]))
    body = _BODIES.get((kind, name))
    content = body(await form(request)) if body else None
    answer = await try_ask(request, "annonces", "POST", path, caller, content)
    if isinstance(answer, Problem):
        if answer.status not in (409, 422):
            raise answer
        return await _page(request, answer)
    anchor = "mes-annonces" if kind == "annonces" or name not in ("annulation", "confirmation") else "mes-reponses"
    return RedirectResponse(f"/mon-compte?message={name}#{anchor}", status_code=303)


def _reason(problem: Problem) -> str:
    return " ".join(error["message"] for error in problem.errors) or problem.detail


async def desactiver(request: Request) -> Response:
    caller = session_of(request)
    path = f"/v1/profils/{segment(request.path_params['profil_id'])}"
    await ask(request, "matching", "DELETE", path, caller)
    return RedirectResponse("/mon-compte?message=alerte-arretee#mes-alertes", status_code=303)


async def confirmer(request: Request) -> Response:
    session_of(request)
    return render(request, "effacer.html")


async def effacer(request: Request) -> Response:
    caller = session_of(request)
    await deps_of(request).gestion.effacer(caller.compte_id)
    response = RedirectResponse("/?message=compte-efface", status_code=303)
    take_cookie(response)
    return response


PAGES = (
    ("/mon-compte", ("GET",), compte),
    ("/mon-compte/effacer", ("GET",), confirmer),
    ("/mon-compte/effacer", ("POST",), effacer),
    ("/mon-compte/alertes/{profil_id:str}/arret", ("POST",), desactiver),
    ("/mon-compte/{sorte:str}/{chose_id:str}/{action:str}", ("POST",), agir),
)
