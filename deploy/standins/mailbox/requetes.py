"""Validates requests; refusals are French sentences."""

import json
import re
from typing import Any

from aiohttp import web

from deploy.standins.mailbox.mail import Message
from deploy.standins.mailbox.mail_store import MailStore

BOITE = web.AppKey("boite", MailStore)

LARGEST_BODY = 256 * 1024
LONGEST_SMS = 5000
# The longest SMS: 255 parts of 153 characters.
_LONGEST_RECEIVED = 40_000
_E164 = re.compile(r"\+[1-9][0-9]{5,14}")


def whole(request: web.Request, name: str, default: int, low: int, high: int) -> int:
    text = request.query.get(name) or str(default)
    if not text.isdecimal() or not low <= int(text) <= high:
        raise web.HTTPUnprocessableEntity(text=f"« {name} » doit être un nombre de {low} à {high}.")
    return int(text)


def kept_mail(request: web.Request) -> Message:
    """The mail that the address of the page names."""
    mail = request.app[BOITE].get(int(request.match_info["id"]))
    if mail is None:
        raise web.HTTPNotFound(text="Ce message n’est pas, ou n’est plus, gardé ici.")
    return mail


def numero(text: str) -> str:
    """The number as E.164. In a URL, "+" may have become a space or be missing."""
    written = numero_ou_rien(text)
    if not written:
        raise web.HTTPUnprocessableEntity(text="Le numéro doit être international, comme +33612345678.")
    return written


def numero_ou_rien(text: str) -> str:
    """The same, but "" for anything that is not a number."""
    written = f"+{text.strip().removeprefix('+')}"
    return written if _E164.fullmatch(written) else ""


async def objet(request: web.Request) -> dict[str, Any]:
    """The JSON object in the body."""
    try:
        found = json.loads(await request.read())
    except web.HTTPRequestEntityTooLarge as error:
        raise too_large() from error
    except (ValueError, RecursionError) as error:
        raise web.HTTPUnprocessableEntity(text="Le corps doit être du JSON, en UTF-8.") from error
    if not isinstance(found, dict):
        raise web.HTTPUnprocessableEntity(text="Le corps doit être un objet JSON.")
    return found


def sms(body: dict[str, Any]) -> tuple[str, str, str, str, int, str]:
    """(operateur, de, a, texte, parties, reference) of an SMS handed over by an operator."""
    operateur, de, reference = (_text(body, name, 1, 200) for name in ("operateur", "de", "reference"))
    parties = body.get("parties")
    if not isinstance(parties, int) or isinstance(parties, bool) or not 1 <= parties <= 255:
        raise web.HTTPUnprocessableEntity(text="« parties » doit être un nombre de 1 à 255.")
    a = numero(_text(body, "a", 1, 20))
    return operateur, de, a, _text(body, "texte", 0, _LONGEST_RECEIVED), parties, reference


def reponse(body: dict[str, Any]) -> tuple[str, str | None]:
    """(texte, operateur or None) of an SMS sent by a phone; the text may be empty."""
    operateur = body.get("operateur") or None
    if operateur is not None:
        operateur = _text(body, "operateur", 1, 200)
    return _text(body, "texte", 0, LONGEST_SMS), operateur


def of_this_site(request: web.Request) -> None:
    """Refuses requests from pages of other sites, because an SMS sent by a phone counts as an answer of that person."""
    if request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
        raise web.HTTPForbidden(text="Cette demande vient d’un autre site.")


def too_large() -> web.HTTPException:
    return web.HTTPRequestEntityTooLarge(LARGEST_BODY, text=f"Pas plus de {LARGEST_BODY} octets.")


def _text(body: dict[str, Any], name: str, low: int, high: int) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not low <= len(value) <= high:
        bounds = f"de {low} à {high} caractères" if low else f"de {high} caractères au plus"
        raise web.HTTPUnprocessableEntity(text=f"« {name} » doit être un texte {bounds}.")
    # JSON can contain half a surrogate pair, which no database stores.
    return value.encode("utf-8", "replace").decode()
