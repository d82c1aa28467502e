"""The HTTP side: pages for people, JSON for tests."""

from datetime import UTC
from typing import Any

from aiohttp import web

from deploy.standins.mailbox import repondre, sms
from deploy.standins.mailbox.mail import Mail
from deploy.standins.mailbox.mail_store import MailStore
from deploy.standins.mailbox.operateurs import Operateurs
from deploy.standins.mailbox.rendu import TEMPLATES, html, templates
from deploy.standins.mailbox.requetes import BOITE, LARGEST_BODY, kept_mail, objet, whole
from deploy.standins.mailbox.smtp import Faults
from deploy.standins.mailbox.telephones import PhoneStore

_PAGE = 50
_MOST = 5000
_LONGEST_WAIT_S = 300.0

FAULTS = web.AppKey("faults", Faults)

routes = web.RouteTableDef()


def build(boite: MailStore, faults: Faults, operateurs: Operateurs | None = None, entrant: str = "") -> web.Application:
    """`operateurs` carry SMS sent by phones; none by default. `entrant`: host:port of the SMTP server that takes
    answers to mails; "": none can be sent."""
    app = web.Application(client_max_size=LARGEST_BODY)
    app[BOITE] = boite
    app[FAULTS] = faults
    app[sms.TELEPHONES] = PhoneStore(boite.db)
    app[sms.OPERATEURS] = operateurs or Operateurs({})
    app[repondre.ENTRANT] = entrant
    app[TEMPLATES] = templates()
    app.add_routes(routes)
    app.add_routes(sms.routes)
    app.add_routes(repondre.routes)
    return app


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
    page = whole(request, "page", 1, 1, 1_000_000)
    address = request.query.get("a", "").strip()
    mails, count = request.app[BOITE].newest(address, (page - 1) * _PAGE, _PAGE)
    return html(request, "liste.html", mails=mails, nombre=count, a=address, page=page, reste=count > page * _PAGE)


@routes.get(r"/mails/{id:\d+}")
async def show_mail(request: web.Request) -> web.Response:
    mail = kept_mail(request)
    return html(
        request, "mail.html", mail=mail, texte=mail.text(), html=mail.html(), repondre=repondre.possible(request, mail)
    )


@routes.get("/api/mails")
async def list_mails(request: web.Request) -> web.Response:
    query = request.query
    limit = whole(request, "limite", 100, 1, _MOST)
    mails = request.app[BOITE].find(query.get("a"), query.get("sujet"), whole(request, "apres", 0, 0, 10**12), limit)
    return web.json_response([summary(mail) for mail in mails])


@routes.get("/api/attendre")
async def wait_for_mail(request: web.Request) -> web.Response:
    query = request.query
    after, limit = whole(request, "apres", 0, 0, 10**12), whole(request, "limite", 100, 1, _MOST)
    seconds = float(whole(request, "delai", 30, 0, int(_LONGEST_WAIT_S)))
    mails = await request.app[BOITE].wait(query.get("a"), query.get("sujet"), after, limit, seconds)
    return web.json_response([summary(mail) for mail in mails])


@routes.get(r"/api/mails/{id:\d+}")
async def one_mail(request: web.Request) -> web.Response:
    mail = kept_mail(request)
    body = {"texte": mail.text(), "html": mail.html(), "entetes": mail.headers}
    return web.json_response({**summary(mail), **body})


@routes.get(r"/api/mails/{id:\d+}/source")
async def source(request: web.Request) -> web.Response:
    # As plain text, because a browser would render HTML written by a stranger.
    return web.Response(
        body=kept_mail(request).raw,
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
        wanted = await objet(request)
        fresh = Faults(**{name: int(value) for name, value in wanted.items()})
    except (TypeError, ValueError) as error:
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
