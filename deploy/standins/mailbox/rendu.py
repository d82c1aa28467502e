"""Renders pages, with a content security policy."""

from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web
from jinja2 import Environment, FileSystemLoader

_PARIS = ZoneInfo("Europe/Paris")

TEMPLATES = web.AppKey("templates", Environment)


def templates() -> Environment:
    environment = Environment(loader=FileSystemLoader(Path(__file__).with_name("gabarits")), autoescape=True)
    environment.globals["heure"] = _paris
    return environment


def _paris(at: datetime) -> str:
    return at.astimezone(_PARIS).strftime("le %d/%m/%Y à %H:%M:%S")


def html(request: web.Request, template: str, status: int = 200, **values: Any) -> web.Response:
    text = request.app[TEMPLATES].get_template(template).render(**values)
    # The messages are written by others: nothing in them may run, or load anything from elsewhere.
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-src 'self'; form-action 'self'"
    headers = {"Content-Security-Policy": policy}
    return web.Response(text=text, status=status, content_type="text/html", headers=headers)
