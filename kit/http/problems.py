"""RFC 9457 problem details: every refusal names the field and says in French what to do."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match
from starlette.types import Scope

from kit import telemetry
from kit.database.mongo import is_undecided
from kit.errors import OUTAGES, is_outage
from kit.logging import get_logger

log = get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
_RETRY_AFTER_S = 5
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

_TITLES = {
    400: "Requête illisible",
    404: "Introuvable",
    405: "Méthode non permise",
    413: "Envoi trop volumineux",
    415: "Format non pris en charge",
    503: "Service momentanément indisponible",
}

# pydantic error type → sentence. Placeholders such as {min_length} are filled from the context of the error.
_SENTENCES = {
    "missing": "Ce champ est obligatoire.",
    "extra_forbidden": "Ce champ n’existe pas.",
    "string_type": "Un texte est attendu.",
    "string_too_short": "Il faut au moins {min_length} caractère(s).",
    "string_too_long": "Il faut au plus {max_length} caractères.",
    "string_pattern_mismatch": "Le format n’est pas le bon.",
    "int_type": "Un nombre entier est attendu.",
    "int_parsing": "Un nombre entier est attendu.",
    "int_from_float": "Un nombre entier est attendu.",
    "float_type": "Un nombre est attendu.",
    "float_parsing": "Un nombre est attendu.",
    "finite_number": "Un nombre fini est attendu.",
    "bool_type": "« vrai » ou « faux » est attendu.",
    "bool_parsing": "« vrai » ou « faux » est attendu.",
    "list_type": "Une liste est attendue.",
    "too_long": "Il faut au plus {max_length} éléments.",
    "too_short": "Il faut au moins {min_length} élément(s).",
    "dict_type": "Un objet est attendu.",
    "model_type": "Un objet est attendu.",
    "model_attributes_type": "Un objet est attendu.",
    "greater_than": "La valeur doit être supérieure à {gt}.",
    "greater_than_equal": "La valeur doit être au moins {ge}.",
    "less_than": "La valeur doit être inférieure à {lt}.",
    "less_than_equal": "La valeur doit être au plus {le}.",
    "enum": "La valeur n’est pas l’une de celles permises : {expected}.",
    "literal_error": "La valeur n’est pas l’une de celles permises : {expected}.",
    "date_from_datetime_parsing": "Une date (AAAA-MM-JJ) est attendue.",
    "date_parsing": "Une date (AAAA-MM-JJ) est attendue.",
    "date_type": "Une date (AAAA-MM-JJ) est attendue.",
    "date_from_datetime_inexact": "Une date (AAAA-MM-JJ) sans heure est attendue.",
    "datetime_parsing": "Une date et une heure sont attendues.",
    "datetime_from_date_parsing": "Une date et une heure sont attendues.",
    "datetime_type": "Une date et une heure sont attendues.",
    "timezone_aware": "L’heure doit dire son fuseau (par exemple +01:00).",
    "int_parsing_size": "Ce nombre est trop grand.",
    "string_unicode": "Un texte est attendu.",
    "json_invalid": "Le corps n’est pas du JSON valable.",
    "json_type": "Le corps n’est pas du JSON valable.",
}
_DEFAULT_SENTENCE = "La valeur n’est pas valable."


class Problem(Exception):
    """A refusal that is sent as a problem document. `slug` identifies its kind for programs; `errors` is a list of
    {"champ": …, "message": …} for forms."""

    def __init__(
        self,
        status: int,
        slug: str,
        title: str,
        detail: str,
        *,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(detail)
        self.status, self.slug, self.title, self.detail = status, slug, title, detail
        self.errors = list(errors)
        self.headers = dict(headers or {})
        self.more = more


class FieldProblem(Problem):
    """A refusal of one field of the request."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(
            422, "donnees-invalides", "Données invalides", message, errors=[{"champ": field, "message": message}]
        )


def not_found(what: str) -> Problem:
    """`what` is a French noun phrase with its article: "Cette annonce"."""
    return Problem(404, "introuvable", "Introuvable", f"{what} n’existe pas.")


def unavailable() -> Problem:
    detail = "Le service est momentanément indisponible. Rien n’a été enregistré ; réessayez dans quelques secondes."
    return Problem(503, "indisponible", _TITLES[503], detail, headers={"Retry-After": str(_RETRY_AFTER_S)})


def undecided() -> Problem:
    """503 for a write whose outcome is unknown."""
    problem = unavailable()
    problem.detail = (
        "Le service n’a pas répondu à temps. Votre envoi a peut-être été enregistré\u00a0: "
        "vérifiez avant de recommencer."
    )
    return problem


def to_response(problem: Problem) -> Response:
    body: dict[str, Any] = {
        "type": f"/problemes/{problem.slug}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        **problem.more,
    }
    if problem.status >= 500 and (trace := telemetry.trace_id()) is not None:
        # Operators use it to find the log lines of this request.
        body["trace"] = trace
    if problem.errors:
        body["erreurs"] = problem.errors
    return Response(orjson.dumps(body), status_code=problem.status, media_type=MEDIA_TYPE, headers=problem.headers)


def sentence(error: Mapping[str, Any]) -> str:
    """The French sentence for one pydantic error. The ValueErrors of our validators already contain one."""
    if error["type"] == "value_error":
        return str(error.get("ctx", {}).get("error", _DEFAULT_SENTENCE))
    template = _SENTENCES.get(error["type"], _DEFAULT_SENTENCE)
    return template.format_map({name: _shown(value) for name, value in error.get("ctx", {}).items()})


def _shown(value: object) -> str:
    """Formats a bound or a list of values for a French sentence: "0,5", "'don' ou 'pret'"."""
    if isinstance(value, float):
        return f"{value:g}".replace(".", ",")
    return str(value).replace(" or ", " ou ")


def fields(errors: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """pydantic's errors as [{"champ": "lieu.lat", "message": "…"}]."""
    found = []
    for error in errors:
        if error["type"] == "json_invalid":
            # For this error, `loc` is an offset in the body and not a field.
            found.append({"champ": "corps", "message": sentence(error)})
            continue
        path = [str(part) for part in error["loc"] if part not in ("body", "query", "path", "header")]
        found.append({"champ": ".".join(path) or "corps", "message": sentence(error)})
    return found


def invalid(errors: Sequence[Mapping[str, Any]]) -> Problem:
    found = fields(errors)
    detail = " ".join(f"« {e['champ']} » : {e['message']}" for e in found[:3])
    return Problem(422, "donnees-invalides", "Données invalides", detail, errors=found)


def from_http(request: Request, error: HTTPException) -> Problem:
    """Converts an error of the framework.

    For 405, the Allow header lists the methods of all routes at this path. A body that is nested too deeply or is not
    UTF-8 is refused like any other invalid body.
    """
    if error.status_code == 400 and error.__cause__ is not None:
        return FieldProblem("corps", _SENTENCES["json_invalid"])
    if error.status_code == 405:
        return wrong_method(allowed(request.app.routes, request.scope))
    title = _TITLES.get(error.status_code, "Erreur")
    return Problem(error.status_code, "http", title, f"{title}.", headers=error.headers)


def wrong_method(methods: Sequence[str]) -> Problem:
    """405; `methods` are those that the address accepts."""
    detail = f"Cette adresse accepte seulement\u00a0: {', '.join(methods)}."
    return Problem(405, "methode-non-permise", _TITLES[405], detail, headers={"Allow": ", ".join(methods)})


def allowed(routes: Iterable[BaseRoute], scope: Scope) -> list[str]:
    """The methods that at least one of `routes` accepts at the path of `scope`."""
    known = list(routes)
    return [m for m in _METHODS if any(r.matches({**scope, "method": m})[0] is Match.FULL for r in known)]


def install(app: FastAPI) -> None:
    """Turns every error of `app` into a problem document."""

    @app.exception_handler(Problem)
    async def on_problem(_: Request, error: Problem) -> Response:
        return to_response(error)

    @app.exception_handler(RequestValidationError)
    async def on_invalid(_: Request, error: RequestValidationError) -> Response:
        return to_response(invalid(error.errors()))

    @app.exception_handler(HTTPException)
    async def on_http(request: Request, error: HTTPException) -> Response:
        return to_response(from_http(request, error))

    async def answer(_: Request, problem: Problem) -> Response:
        return to_response(problem)

    install_outages(app, answer)

    @app.exception_handler(Exception)
    async def on_error(_: Request, error: Exception) -> Response:
        log.exception("request_failed", exc_info=error)
        return to_response(
            Problem(500, "interne", "Erreur interne", "Une erreur s’est produite. Rien n’a été enregistré.")
        )


def install_outages(app: FastAPI, answer: Callable[[Request, Problem], Awaitable[Response]]) -> None:
    """Answers 503 while a server is away or refuses for its own reasons; `answer` renders the problem.

    These are handlers for each type, because Starlette raises an error again after a handler of Exception, which closes
    the connection.
    """

    async def on_outage(request: Request, error: Exception) -> Response:
        if not is_outage(error):
            raise error
        log.warning("server_away", error=type(error).__name__)
        return await answer(request, undecided() if is_undecided(error) else unavailable())

    for kind in OUTAGES:
        app.add_exception_handler(kind, on_outage)
