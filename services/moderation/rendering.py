"""Templates, and errors as pages below /moderation/ (problem documents elsewhere)."""

from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException

from kit.http.problems import Problem, from_http, install_outages, invalid, not_found, to_response
from kit.logging import get_logger
from services.moderation import difference, presentation

log = get_logger(__name__)

PREFIXE = "/moderation/"

_env = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_env.filters.update(presentation.FILTRES, difference=difference.mots)
_env.globals.update(
    surligner=presentation.surligner,
    compte=presentation.compte,
    lignes=presentation.lignes,
    champs_changes=difference.champs,
)


def page(nom: str, *, status: int = 200, **contexte: Any) -> Response:
    """Renders the template `nom`. Caches must not store it, because it is for moderators only."""
    html = _env.get_template(nom).render(contexte)
    return HTMLResponse(html, status_code=status, headers={"Cache-Control": "no-store"})


def _erreur(problem: Problem) -> Response:
    answer = page("erreur.html", status=problem.status, problem=problem, menu="")
    answer.headers.update(problem.headers)
    return answer


def install_errors(app: FastAPI) -> None:
    """Replaces the error handlers of the kit by ones that answer with pages below /moderation/."""

    async def answer(request: Request, problem: Problem) -> Response:
        return _erreur(problem) if request.url.path.startswith(PREFIXE) else to_response(problem)

    @app.exception_handler(Problem)
    async def on_problem(request: Request, error: Problem) -> Response:
        return await answer(request, error)

    @app.exception_handler(RequestValidationError)
    async def on_invalid(request: Request, error: RequestValidationError) -> Response:
        return await answer(request, invalid(error.errors()))

    @app.exception_handler(HTTPException)
    async def on_http(request: Request, error: HTTPException) -> Response:
        problem = not_found("Cette page") if error.status_code == 404 else from_http(request, error)
        return await answer(request, problem)

    install_outages(app, answer)

    @app.exception_handler(Exception)
    async def on_error(request: Request, error: Exception) -> Response:
        log.exception("request_failed", exc_info=error)
        detail = "Une erreur s’est produite. Rien n’a été enregistré."
        return await answer(request, Problem(500, "interne", "Erreur interne", detail))
