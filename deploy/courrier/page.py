"""The HTTP side: a page for people, JSON for tests."""

import json
from datetime import UTC
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web
from jinja2 import Environment, FileSystemLoader

from deploy.courrier.boite import Boite
from deploy.courrier.mail import Mail, Message
from deploy.courrier.smtp import Faults

_PAGE = 50
_MOST = 5000
_LONGEST_WAIT_S = 300.0
_PARIS = ZoneInfo("Europe/Paris")

BOITE = web.AppKey("boite", Boite)
FAULTS = web.AppKey("faults", Faults)
TEMPLATES = web.AppKey("templates", Environment)

routes = web.RouteTableDef()


def build(boite: Boite, faults: Faults) -> web.Application:
    app = web.Application()
    app[BOITE] = boite
    app[FAULTS] = faults
    app[TEMPLATES] = Environment(loader=FileSystemLoader(Path(__file__).with_name("gabarits")), autoescape=True)
    app[TEMPLATES].globals["heure"] = _paris
    app.add_routes(routes)
    return app


def _paris(mail: Mail) -> str:
    return mail.received_at.astimezone(_PARIS).strftime("le %d/%m/%Y à %H:%M:%S")


def summary(mail: Mail) -> dict[str, Any]:
    return {
        "id": mail.id,
        "recu_at": mail.received_at.astimezone(UTC).isoformat(),
        "de": mail.sender,
        "a": list(mail.recipients),
        "sujet": mail.subject,
        "message_id": mail.message_id,
    }


@routes.get("/")
async def show_list(request: web.Request) -> web.Response:
    page = _whole(request, "page", 1, 1, 1_000_000)
    address = request.query.get("a", "").strip()
    mails, count = request.app[BOITE].newest(address, (page - 1) * _PAGE, _PAGE)
    return _html(request, "liste.html", mails=mails, nombre=count, a=address, page=page, reste=count > page * _PAGE)


@routes.get(r"/mails/{id:\d+}")
async def show_mail(request: web.Request) -> web.Response:
    mail = _mail(request)
    return _html(request, "mail.html", mail=mail, texte=mail.text(), html=mail.html())


@routes.get("/api/mails")
async def list_mails(request: web.Request) -> web.Response:
    query = request.query
    limit = _whole(request, "limite", 100, 1, _MOST)
    mails = request.app[BOITE].find(query.get("a"), query.get("sujet"), _whole(request, "apres", 0, 0, 10**12), limit)
    return web.json_response([summary(mail) for mail in mails])


@routes.get("/api/attendre")
async def wait_for_mail(request: web.Request) -> web.Response:
    query = request.query
    after, limit = _whole(request, "apres", 0, 0, 10**12), _whole(request, "limite", 100, 1, _MOST)
    seconds = float(_whole(request, "delai", 30, 0, int(_LONGEST_WAIT_S)))
    mails = await request.app[BOITE].wait(query.get("a"), query.get("sujet"), after, limit, seconds)
    return web.json_response([summary(mail) for mail in mails])


@routes.get(r"/api/mails/{id:\d+}")
async def one_mail(request: web.Request) -> web.Response:
    mail = _mail(request)
    body = {"texte": mail.text(), "html": mail.html(), "entetes": mail.headers}
    return web.json_response({**summary(mail), **body})


@routes.get(r"/api/mails/{id:\d+}/source")
async def source(request: web.Request) -> web.Response:
    # As plain text: served under its own type, a browser would render a stranger's HTML.
    return web.Response(
        body=_mail(request).raw,
        headers={"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"},
    )


@routes.get("/api/compte")
async def count(request: web.Request) -> web.Response:
    boite = request.app[BOITE]
    return web.json_response({"total": boite.total, "gardes": len(boite), "dernier": boite.last_id})


@routes.delete("/api/mails")
async def clear(request: web.Request) -> web.Response:
    request.app[BOITE].clear()
    return web.Response(status=204)


@routes.post("/api/pannes")
async def break_it(request: web.Request) -> web.Response:
    try:
        wanted = await request.json()
        fresh = Faults(**{name: int(value) for name, value in wanted.items()})
    except (json.JSONDecodeError, TypeError, ValueError, AttributeError) as error:
        raise web.HTTPUnprocessableEntity(
            text=f"Attendu : rcpt_451, data_451, delai_ms, en nombres entiers ({error})."
        ) from error
    faults = request.app[FAULTS]
    faults.rcpt_451, faults.data_451, faults.delai_ms = fresh.rcpt_451, fresh.data_451, fresh.delai_ms
    return web.json_response(vars(faults))


@routes.get("/sante/vivant")
@routes.get("/sante/pret")
async def alive(request: web.Request) -> web.Response:
    return web.json_response({"etat": "pret"})


def _mail(request: web.Request) -> Message:
    mail = request.app[BOITE].get(int(request.match_info["id"]))
    if mail is None:
        raise web.HTTPNotFound(text="Ce message n’est pas, ou n’est plus, gardé ici.")
    return mail


def _whole(request: web.Request, name: str, default: int, low: int, high: int) -> int:
    text = request.query.get(name) or str(default)
    if not text.isdecimal() or not low <= int(text) <= high:
        raise web.HTTPUnprocessableEntity(text=f"« {name} » doit être un nombre de {low} à {high}.")
    return int(text)


def _html(request: web.Request, template: str, **values: Any) -> web.Response:
    text = request.app[TEMPLATES].get_template(template).render(**values)
    # The mails are written by others: nothing of them may run or call home from this page.
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-src 'self'; form-action 'self'"
    return web.Response(text=text, content_type="text/html", headers={"Content-Security-Policy": policy})
