"""The conversation of one answer: its messages, where people meet once it is accepted, writing, closing."""

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.door import session_of
from gateway.pages import forms
from gateway.pages.calls import ask, form, refused, segment, try_ask
from gateway.pages.forms import Saisie
from gateway.pages.rendering import render
from gateway.upstream import Caller
from kit.http.problems import Problem
from kit.ids import new_id, stable_id

_CHAMPS = ("texte", "prenom")
_TAILLE = 50


def _api(request: Request) -> str:
    return f"/v1/reponses/{segment(request.path_params['reponse_id'])}"


def _page_path(request: Request) -> str:
    return f"/reponses/{segment(request.path_params['reponse_id'])}"


async def lire(request: Request) -> Response:
    return await _show(request, session_of(request), Saisie({"cle": [new_id()]}))


async def _show(request: Request, caller: Caller, saisie: Saisie, problem: Problem | None = None) -> Response:
    number = forms.page_number(request.query_params.get("page", "1"))
    path = _api(request)
    found = (await ask(request, "annonces", "GET", f"{path}/messages?page={number}&taille={_TAILLE}", caller)).json()
    shown = refused(problem, _CHAMPS) if problem else None
    return render(
        request,
        "conversation.html",
        status=problem.status if problem else 200,
        c=found,
        rencontre=await _meeting(request, caller, found),
        page=number,
        pages=max(1, -(-int(str(found["total"])) // _TAILLE)),
        saisie=saisie,
        erreurs=shown.erreurs if shown else {},
        generales=shown.generales if shown else [],
    )


async def _meeting(request: Request, caller: Caller, found: dict[str, Any]) -> dict[str, Any] | None:
    """Where people meet, once the answer is accepted."""
    if found["etat"] != "acceptee":
        return None
    return (await ask(request, "annonces", "GET", f"{_api(request)}/rencontre", caller)).json()


async def agir(request: Request) -> Response:
    """The forms of the page: `geste` says which of them was sent."""
    caller = session_of(request)
    saisie = await form(request)
    match saisie.un("geste"):
        case "fermer":
            await ask(request, "annonces", "POST", f"{_api(request)}/conversation/fermeture", caller)
            return _done(request, "conversation-fermee")
        case "retirer":
            path = f"{_api(request)}/messages/{segment(saisie.un('message_id'))}/retrait"
            await ask(request, "annonces", "POST", path, caller)
            return _done(request, "partage-retire")
        case "partager":
            return await _write(request, caller, saisie, "partage", {"quoi": saisie.un("quoi")})
        case _:
            return await _write(request, caller, saisie, "messages", forms.message(saisie))


def _done(request: Request, message: str, anchor: str = "") -> Response:
    return RedirectResponse(f"{_page_path(request)}?message={message}{anchor}", status_code=303)


async def _write(request: Request, caller: Caller, saisie: Saisie, route: str, body: dict[str, object]) -> Response:
    # The same form sent twice writes one message; somebody who goes back and types another text writes another one.
    key = stable_id(saisie.un("cle") or new_id(), *sorted(body.items()))
    answer = await try_ask(request, "annonces", "POST", f"{_api(request)}/{route}", caller, body, idempotency_key=key)
    if isinstance(answer, Problem):
        if answer.status == 404:
            raise answer
        return await _show(request, caller, saisie, answer)
    return _done(request, "message-envoye", "#dernier")


PAGES = (
    ("/reponses/{reponse_id:str}", ("GET",), lire),
    ("/reponses/{reponse_id:str}", ("POST",), agir),
)
