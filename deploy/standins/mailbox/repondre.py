"""Answers to mails: as a mail program writes them, handed over by SMTP to the process that receives mail."""

import asyncio
import smtplib
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from typing import Any

from aiohttp import web

from deploy.standins.mailbox.mail import Message
from deploy.standins.mailbox.rendu import html
from deploy.standins.mailbox.requetes import kept_mail, objet, of_this_site

ENTRANT = web.AppKey("entrant", str)
_LONGEST = 20_000
_PATIENCE_S = 30

routes = web.RouteTableDef()


class Refuse(Exception):
    """The server that receives mail does not take it: its own words."""


def possible(request: web.Request, mail: Message) -> bool:
    """Whether the mail says where to answer, and somebody takes answers."""
    return bool(request.app[ENTRANT] and mail.reply_to and mail.recipients)


@routes.post(r"/mails/{id:\d+}/reponse")
async def answer_from_the_page(request: web.Request) -> web.Response:
    of_this_site(request)
    mail = kept_mail(request)
    form = await request.post()
    try:
        await _send(request, mail, str(form.get("texte", "")))
    except Refuse as error:
        return html(request, "mail.html", 502, mail=mail, texte=mail.text(), html=None, repondre=True, refus=str(error))
    raise web.HTTPSeeOther("/")


@routes.post(r"/api/mails/{id:\d+}/reponse")
async def answer(request: web.Request) -> web.Response:
    """{texte, de?}: 202 once it is taken. `de`: another sender than the one who was written to."""
    body: dict[str, Any] = await objet(request)
    try:
        message_id = await _send(request, kept_mail(request), str(body.get("texte", "")), str(body.get("de", "")))
    except Refuse as error:
        raise web.HTTPBadGateway(text=str(error)) from error
    return web.json_response({"message_id": message_id}, status=202)


async def _send(request: web.Request, mail: Message, texte: str, de: str = "") -> str:
    """The Message-ID. Raises Refuse."""
    if not possible(request, mail):
        raise web.HTTPConflict(text="Ce message ne dit pas où répondre, ou aucun serveur ne reçoit de réponses ici.")
    if not 1 <= len(texte.strip()) <= _LONGEST:
        raise web.HTTPUnprocessableEntity(text=f"Écrivez une réponse de 1 à {_LONGEST} caractères.")
    reponse = compose(mail, texte, de or mail.recipients[0])
    await asyncio.to_thread(_hand_over, reponse, request.app[ENTRANT])
    return str(reponse["Message-ID"])


def _hand_over(reponse: EmailMessage, entrant: str) -> None:
    host, _, port = entrant.rpartition(":")
    try:
        with smtplib.SMTP(host, int(port), timeout=_PATIENCE_S) as server:
            server.send_message(reponse)
    except (smtplib.SMTPException, OSError) as error:
        raise Refuse(f"Le serveur n’a pas pris la réponse : {error}") from error


def compose(mail: Message, texte: str, de: str) -> EmailMessage:
    """As mail programs do: the words, then the mail that they answer, quoted."""
    reponse = EmailMessage(policy=SMTP)
    reponse["From"] = de
    reponse["To"] = mail.reply_to
    reponse["Subject"] = mail.subject if mail.subject.lower().startswith("re:") else f"Re: {mail.subject}"
    reponse["Date"] = format_datetime(mail.received_at)
    reponse["Message-ID"] = make_msgid(domain=de.rpartition("@")[2] or "exemple.fr")
    if mail.message_id:
        reponse["In-Reply-To"] = reponse["References"] = mail.message_id
    quoted = "\n".join(f"> {line}" for line in (mail.text() or "").splitlines())
    head = f"Le {mail.received_at:%d/%m/%Y} à {mail.received_at:%H:%M}, {mail.sender} a écrit :"
    reponse.set_content(f"{texte}\n\n{head}\n{quoted}\n")
    return reponse
