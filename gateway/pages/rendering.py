"""Templates: one environment, what every page knows, and how codes, dates and places are written in French."""

import datetime as dt
import hashlib
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from babel.dates import format_date, format_datetime
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse

from contracts import references
from contracts.commun import PARIS
from contracts.references import CodeInconnu
from gateway.domain import Role
from gateway.door import who
from gateway.pages.preferences_form import BUDGETS, CADENCES, HEURES

_FOLDER = Path(__file__).resolve().parents[1]

SENS = {"besoin": "Besoin", "offre": "Offre"}
NATURES = {
    "benevolat": "Du temps",
    "competence": "Une compétence",
    "materiel": "Du matériel",
    "logistique": "Un véhicule ou un lieu",
}
CESSIONS = {"don": "Don", "pret": "Prêt"}
ETATS_ANNONCE = {
    "deposee": "En attente de relecture",
    "a_corriger": "À corriger",
    "refusee": "Refusée",
    "publiee": "En ligne",
    "pourvue": "Pourvue",
    "retiree": "Retirée",
    "expiree": "Terminée",
}
ETATS_ASSOCIATION = {"inscrite": "En attente de validation", "validee": "Validée", "refusee": "Refusée"}
ETATS_REPONSE = {
    "deposee": "En attente d’une réponse",
    "acceptee": "Acceptée",
    "declinee": "Déclinée",
    "annulee": "Annulée",
    "en_attente": "En liste d’attente",
    "close": "Close",
}


def libelle(code: str, liste: Any) -> str:
    """The label of a code; the code itself when a newer service knows more than this page."""
    try:
        return references.libelle(liste, code)
    except CodeInconnu:
        return code


def instant(value: str | dt.datetime | float) -> dt.datetime:
    """ISO 8601 text, Unix seconds or a datetime, as a moment in Paris."""
    if isinstance(value, int | float):
        return dt.datetime.fromtimestamp(value, PARIS)
    moment = dt.datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment.astimezone(PARIS)


def date(value: str | dt.date | dt.datetime) -> str:
    """ "5 décembre 2026", from a day or from a moment (then: the day in Paris)."""
    if isinstance(value, str) and len(value) == 10:
        day: dt.date = dt.date.fromisoformat(value)
    elif isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        day = value
    else:
        day = instant(value).date()
    return format_date(day, "d MMMM y", locale="fr")


def heure(value: str | dt.datetime | float) -> str:
    """ "5 décembre à 14:30", in Paris."""
    return format_datetime(instant(value), "d MMMM 'à' HH:mm", locale="fr")


def nombre(count: int, singulier: str, pluriel: str) -> str:
    """ "1 place", "1 200 places"; French counts zero as singular."""
    text = f"{count:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")
    return f"{text}\N{NO-BREAK SPACE}{singulier if count < 2 else pluriel}"


def jours(creneaux: list[str]) -> list[str]:
    """Slots as people say them, in the order of the week."""
    order = list(references.valeurs("creneaux"))
    known = sorted((c for c in creneaux if c in order), key=order.index)
    return [references.valeur("creneaux", code).dans_une_phrase for code in known]


def paires(codes: Iterable[str], liste: Any = "categories") -> list[tuple[str, str]]:
    """(code, label) of each, for the options of a form."""
    return [(code, libelle(code, liste)) for code in codes]


def libelles(codes: Iterable[str], liste: Any) -> str:
    """The labels, as one text."""
    return ", ".join(libelle(code, liste) for code in codes)


@cache
def environment() -> Environment:
    env = Environment(
        loader=FileSystemLoader(_FOLDER / "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: Mapping[str, Callable[..., Any]] = {
        "libelle": libelle,
        "date": date,
        "heure": heure,
        "nombre": nombre,
        "jours": jours,
        "paires": paires,
        "nature": lambda code: NATURES.get(code, code),
    }
    env.filters.update(filters)
    env.globals.update(
        references=references,
        libelles=libelles,
        SENS=SENS,
        NATURES=NATURES,
        CESSIONS=CESSIONS,
        ETATS_ANNONCE=ETATS_ANNONCE,
        ETATS_ASSOCIATION=ETATS_ASSOCIATION,
        ETATS_REPONSE=ETATS_REPONSE,
        CADENCES=CADENCES,
        BUDGETS=BUDGETS,
        heures_debut=_hours(HEURES[:-1]),
        heures_fin=_hours(HEURES[1:]),
        script_notifications=f"/static/notifications.js?v={_digest('notifications.js')}",
        style=f"/static/style.css?v={_digest('style.css')}",
        erreurs={},
        generales=[],
    )
    return env


def _hours(hours: Iterable[int]) -> list[tuple[str, str]]:
    return [(str(hour), f"{hour}\u00a0h") for hour in hours]


def _digest(name: str) -> str:
    return hashlib.sha256((_FOLDER / "static" / name).read_bytes()).hexdigest()[:12]


def render(request: Request, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
    """A page. Pages of somebody logged in are never kept by a cache."""
    seen = who(request)
    html = (
        environment()
        .get_template(template)
        .render(
            connecte=seen.logged_in,
            moderateur=Role.MODERATEUR.value in seen.caller.roles,
            chemin=request.url.path,
            message=request.query_params.get("message", ""),
            **context,
        )
    )
    headers = {"cache-control": "private, no-store" if seen.token else "no-cache", "vary": "Cookie"}
    return HTMLResponse(html, status_code=status, headers=headers)
