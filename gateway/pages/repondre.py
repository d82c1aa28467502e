"""Answering an alert from its mail: the link shows a page, and only its buttons act."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from gateway.deps import deps_of
from gateway.pages import forms
from gateway.pages.calls import form, refused, segment
from gateway.pages.forms import Saisie
from gateway.pages.rendering import render
from gateway.upstream import VISITOR, Answer, ServiceAway, as_problem
from kit.http.problems import Problem

_CHAMPS = ("quantite",)


async def _ask(request: Request, method: str, content: object = None) -> Answer | Problem:
    """As nobody in particular: the signed token in the link says who answers, whoever is logged in here."""
    path = f"/v1/reponses-par-lien/{segment(request.path_params['jeton'])}"
    try:
        answer = await deps_of(request).services.ask("notifications", method, path, VISITOR, content)
    except ServiceAway as error:
        raise error.problem(method) from error
    if answer.status >= 500:
        raise as_problem(answer)
    return as_problem(answer) if answer.status >= 400 else answer


async def _read(request: Request) -> dict[str, Any]:
    answer = await _ask(request, "GET")
    if isinstance(answer, Problem):
        raise answer
    return answer.json()


def _page(
    request: Request, lien: dict[str, Any], saisie: Saisie, problem: Problem | None = None, *, envoyee: bool = False
) -> Response:
    """`envoyee`: the answer has just been given here; else `lien.fait` says whether it was before."""
    shown = refused(problem, _CHAMPS) if problem else None
    return render(
        request,
        "repondre.html",
        status=shown.status if shown else 200,
        lien=lien,
        envoyee=envoyee,
        saisie=saisie,
        erreurs=shown.erreurs if shown else {},
        generales=shown.generales if shown else [],
    )


async def montrer(request: Request) -> Response:
    """Programs that scan mails follow every link: reading this page changes nothing."""
    return _page(request, await _read(request), Saisie({"quantite": ["1"]}))


async def agir(request: Request) -> Response:
    saisie = await form(request)
    answer = await _ask(request, "POST", forms.reponse_par_lien(saisie))
    if not isinstance(answer, Problem):
        return _page(request, answer.json(), saisie, envoyee=True)
    if answer.status == 404:
        raise answer
    return _page(request, await _read(request), saisie, answer)


PAGES = (
    ("/repondre/{jeton:str}", ("GET",), montrer),
    ("/repondre/{jeton:str}", ("POST",), agir),
)
