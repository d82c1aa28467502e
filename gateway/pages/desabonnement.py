"""Unsubscribing from a mail: the page shows what it is about, the button (or the mail program, RFC 8058) acts."""

from starlette.requests import Request
from starlette.responses import Response

from gateway.deps import deps_of
from gateway.pages.calls import segment
from gateway.pages.rendering import render
from gateway.upstream import VISITOR, Answer, ServiceAway, as_problem
from kit.http.problems import unavailable


async def _ask(request: Request, method: str) -> Answer:
    """As nobody in particular: the signed token in the link says it all, whoever is logged in here."""
    path = f"/v1/desabonnements/{segment(request.path_params['jeton'])}"
    try:
        answer = await deps_of(request).services.call("notifications", method, path, VISITOR)
    except ServiceAway as error:
        # Unsubscribing twice is unsubscribing once: nothing to be careful about.
        raise unavailable() from error
    if answer.status >= 400:
        raise as_problem(answer)
    return answer


async def montrer(request: Request) -> Response:
    """Link scanners follow links: reading this page changes nothing."""
    return render(request, "desabonnement.html", d=(await _ask(request, "GET")).json())


async def agir(request: Request) -> Response:
    answer = await _ask(request, "POST")
    return render(request, "desabonnement.html", d={**answer.json(), "fait": True})


PAGES = (
    ("/desabonnement/{jeton:str}", ("GET",), montrer),
    ("/desabonnement/{jeton:str}", ("POST",), agir),
)
