"""The phones: pages for people, JSON for operators and tests."""

import sqlite3
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from deploy.standins.mailbox import requetes
from deploy.standins.mailbox.operateurs import OperateurAbsent, Operateurs
from deploy.standins.mailbox.rendu import html
from deploy.standins.mailbox.requetes import whole
from deploy.standins.mailbox.telephones import PhoneStore, Sms

_PAGE = 50
_MOST = 5000
_THREAD = 200
_LONGEST_WAIT_S = 300
_LARGEST_ID = 10**12

TELEPHONES = web.AppKey("telephones", PhoneStore)
OPERATEURS = web.AppKey("operateurs", Operateurs)

routes = web.RouteTableDef()


def resume(sms: Sms) -> dict[str, Any]:
    return {
        "id": sms.id,
        "recu_at": sms.at.isoformat(),
        "operateur": sms.operateur,
        "de": sms.de,
        "a": sms.a,
        "texte": sms.texte,
        "parties": sms.parties,
        "reference": sms.reference,
    }


@routes.get("/telephones")
async def show_phones(request: web.Request) -> web.Response:
    page = whole(request, "page", 1, 1, 1_000_000)
    # A "+" typed in an address bar is decoded as a space.
    part = request.query.get("numero", "").strip()
    phones, count = request.app[TELEPHONES].liste(part, (page - 1) * _PAGE, _PAGE)
    return html(
        request,
        "telephones.html",
        telephones=phones,
        nombre=count,
        numero=part,
        exact=requetes.numero_ou_rien(part),
        page=page,
        reste=count > page * _PAGE,
    )


@routes.get("/telephones/{numero}")
async def show_phone(request: web.Request) -> web.Response:
    return _thread(request, requetes.numero(request.match_info["numero"]))


@routes.post("/telephones/{numero}")
async def answer_by_form(request: web.Request) -> web.Response:
    requetes.of_this_site(request)
    number = requetes.numero(request.match_info["numero"])
    try:
        form = await request.post()
    except web.HTTPRequestEntityTooLarge as error:
        raise requetes.too_large() from error
    # Browsers send "\r\n" for a new line; phones do not.
    text = str(form.get("texte", "")).replace("\r\n", "\n")
    try:
        body = {"texte": text, "operateur": form.get("operateur")}
        await _send(request, number, *requetes.reponse(body))
    except web.HTTPUnprocessableEntity as error:
        return _thread(request, number, error.text or "", text, 422)
    except (OperateurAbsent, sqlite3.Error) as error:
        return _thread(request, number, str(error), text, 503)
    raise web.HTTPSeeOther(f"/telephones/{number}#fin")


@routes.post("/api/telephones/{numero}/repondre")
async def answer(request: web.Request) -> web.Response:
    requetes.of_this_site(request)
    number = requetes.numero(request.match_info["numero"])
    text, operator = requetes.reponse(await requetes.objet(request))
    try:
        sent = await _send(request, number, text, operator)
    except (OperateurAbsent, sqlite3.Error) as error:
        raise web.HTTPServiceUnavailable(text=str(error)) from error
    return web.json_response(sent, status=202)


@routes.get("/api/telephones/{numero}")
async def one_phone(request: web.Request) -> web.Response:
    number = requetes.numero(request.match_info["numero"])
    thread = request.app[TELEPHONES].fil(number, whole(request, "limite", _THREAD, 1, _MOST))
    return web.json_response([{**resume(sms), "sens": "envoye" if sms.envoye else "recu"} for sms in thread])


@routes.post("/api/sms")
async def receive(request: web.Request) -> web.Response:
    received = requetes.sms(await requetes.objet(request))
    try:
        sms_id = request.app[TELEPHONES].recevoir(datetime.now(UTC), *received)
    except sqlite3.Error as error:
        raise web.HTTPServiceUnavailable(text="Le SMS n’a pas pu être gardé : réessayez.") from error
    return web.json_response({"id": sms_id}, status=201)


@routes.get("/api/sms")
async def list_sms(request: web.Request) -> web.Response:
    limit = whole(request, "limite", 100, 1, _MOST)
    found = request.app[TELEPHONES].trouver(_recipient(request), whole(request, "apres", 0, 0, _LARGEST_ID), limit)
    return web.json_response([resume(sms) for sms in found])


@routes.get("/api/attendre-sms")
async def wait_for_sms(request: web.Request) -> web.Response:
    after, limit = whole(request, "apres", 0, 0, _LARGEST_ID), whole(request, "limite", 100, 1, _MOST)
    seconds = float(whole(request, "delai", 30, 0, _LONGEST_WAIT_S))
    found = await request.app[TELEPHONES].attendre(_recipient(request), after, limit, seconds)
    return web.json_response([resume(sms) for sms in found])


@routes.get("/api/sms/compte")
async def count(request: web.Request) -> web.Response:
    phones = request.app[TELEPHONES]
    return web.json_response({"total": phones.last_id, "gardes": len(phones), "dernier": phones.last_id})


async def _send(request: web.Request, number: str, text: str, operator: str | None) -> dict[str, Any]:
    """Sends to the last sender, through `operator`, or else the one that delivered last, or else the first. Raises
    OperateurAbsent, sqlite3.Error."""
    phones, operators = request.app[TELEPHONES], request.app[OPERATEURS]
    last = phones.dernier_pour(number)
    name = operator or (last.operateur if last else next(iter(operators.noms), ""))
    recipient = last.de if last else None
    await operators.envoyer(name, number, recipient, text)
    sms_id = phones.envoyer(datetime.now(UTC), name, number, recipient or "", text)
    return {"id": sms_id, "operateur": name}


def _thread(request: web.Request, number: str, error: str = "", text: str = "", status: int = 200) -> web.Response:
    phones = request.app[TELEPHONES]
    last = phones.dernier_pour(number)
    return html(
        request,
        "telephone.html",
        status,
        numero=number,
        fil=phones.fil(number, _THREAD),
        operateurs=request.app[OPERATEURS].noms,
        dernier=last.operateur if last else "",
        erreur=error,
        texte=text,
        longueur=requetes.LONGEST_SMS,
    )


def _recipient(request: web.Request) -> str | None:
    text = request.query.get("a")
    return requetes.numero(text) if text else None
