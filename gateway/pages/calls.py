"""What pages ask of the services, on behalf of whoever reads them."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from starlette.requests import Request

from gateway.deps import deps_of
from gateway.door import login_needed
from gateway.pages.forms import Saisie, errors_by_field
from gateway.upstream import Answer, Caller, ServiceAway, as_problem
from kit.http.problems import Problem, unavailable


@dataclass(frozen=True)
class Refused:
    """A form that a service refused: messages by field, and those that belong to none."""

    status: int
    erreurs: Mapping[str, str]
    generales: Sequence[str]


def segment(text: str) -> str:
    """An id from a URL as one segment of another: nothing in it can lead elsewhere."""
    return quote(text, safe="")


async def form(request: Request) -> Saisie:
    async with request.form(max_files=0, max_fields=500) as found:
        return Saisie.of(found.multi_items())


async def ask(
    request: Request, service: str, method: str, path: str, caller: Caller, content: object = None, **headers: str
) -> Answer:
    """Raises the refusal of the service as a Problem (its 401 leads to the login page), and 503 when it is away."""
    answer = await try_ask(request, service, method, path, caller, content, **headers)
    if isinstance(answer, Problem):
        raise answer
    return answer


async def try_ask(
    request: Request, service: str, method: str, path: str, caller: Caller, content: object = None, **headers: str
) -> Answer | Problem:
    """The same, but a refusal is returned, for a form that shows it; only 401 and 503 are raised."""
    path, _, query = path.partition("?")
    services = deps_of(request).services
    try:
        if content is None:
            sent = {name.replace("_", "-"): value for name, value in headers.items()}
            answer = await services.call(service, method, path, caller, query=query, headers=sent)
        else:
            answer = await services.ask(service, method, path, caller, content, **headers)
    except ServiceAway as error:
        raise error.problem(method) from error
    if answer.status == 401:
        raise login_needed(request, expired=False)
    if answer.status >= 500:
        raise unavailable()
    return as_problem(answer) if answer.status >= 400 else answer


def refused(problem: Problem, fields: Sequence[str]) -> Refused:
    """How a form shows a refusal."""
    placed, general = errors_by_field(problem.errors, fields)
    if not problem.errors:
        general = [problem.detail]
    return Refused(problem.status, placed, general)


async def sections(request: Request, caller: Caller, wanted: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    """Several GETs at once, name → JSON; None where the service is away: the rest is still worth reading."""

    async def one(service: str, path: str) -> Any:
        try:
            return (await ask(request, service, "GET", path, caller)).json()
        except Problem as problem:
            if problem.status != 503:
                raise
            return None

    found = await asyncio.gather(*(one(service, path) for service, path in wanted.values()))
    return dict(zip(wanted, found, strict=True))
