"""Refusals: problem documents for programs, pages for people who use the site."""

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.door_rules import STAFF_PATHS
from gateway.memory import MemoryAway
from gateway.pages.rendering import render
from gateway.upstream import ServiceAway
from kit import telemetry
from kit.http.problems import Problem, from_http, install_outages, invalid, not_found, to_response, unavailable
from kit.logging import get_logger

log = get_logger(__name__)

_FOR_PROGRAMS = ("/v1/", "/static/")
_HTTP = {
    404: not_found("Cette page"),
    413: Problem(413, "trop-volumineux", "Envoi trop volumineux", "L’envoi dépasse la limite de 256 Kio."),
}


def is_for_people(request: Request) -> bool:
    """Outside the API, for whoever reads HTML: a program that asks for JSON there gets it."""
    accepted = request.headers.get("accept", "*/*")
    if request.url.path.startswith(STAFF_PATHS):
        return "text/html" in accepted
    if request.url.path.startswith(_FOR_PROGRAMS):
        return False
    return "text/html" in accepted or "*/*" in accepted


async def refuse(request: Request, problem: Problem) -> Response:
    """The answer for a refusal, in the format that the caller reads."""
    if not is_for_people(request):
        return to_response(problem)
    way_back = problem.more.get("connexion")
    if problem.status == 401 and isinstance(way_back, str):
        return RedirectResponse(way_back, status_code=303)
    trace = telemetry.trace_id() if problem.status >= 500 else None
    response = render(request, "erreur.html", status=problem.status, probleme=problem, trace=trace)
    response.headers.update(problem.headers)
    return response


def install(app: FastAPI) -> None:
    """Replaces the handlers that only know programs."""
    app.state.refuse = refuse

    @app.exception_handler(Problem)
    async def on_problem(request: Request, error: Problem) -> Response:
        return await refuse(request, error)

    @app.exception_handler(RequestValidationError)
    async def on_invalid(request: Request, error: RequestValidationError) -> Response:
        return await refuse(request, invalid(error.errors()))

    @app.exception_handler(HTTPException)
    async def on_http(request: Request, error: HTTPException) -> Response:
        problem = from_http(request, error)
        known = _HTTP.get(problem.status)
        if known is not None:
            problem = Problem(known.status, known.slug, known.title, known.detail, headers=problem.headers)
        return await refuse(request, problem)

    @app.exception_handler(MemoryAway)
    async def on_memory_away(request: Request, _: MemoryAway) -> Response:
        return await refuse(request, unavailable())

    @app.exception_handler(ServiceAway)
    async def on_service_away(request: Request, error: ServiceAway) -> Response:
        return await refuse(request, error.problem(request.method))

    install_outages(app, refuse)

    @app.exception_handler(Exception)
    async def on_error(request: Request, error: Exception) -> Response:
        log.exception("request_failed", exc_info=error)
        detail = "Une erreur s’est produite. Rien n’a été enregistré."
        return await refuse(request, Problem(500, "interne", "Erreur interne", detail))
