"""For the staff: every message as people get it, made of sample contents."""

import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from kit.http.problems import not_found
from kit.http.tokens import requires
from services.notifications.canaux.sms.gsm7 import codage, compter
from services.notifications.domain import Genre
from services.notifications.messages.catalogue import MESSAGES, objet
from services.notifications.messages.mail import Compositeur
from services.notifications.messages.mjml import GABARITS
from services.notifications.messages.samples import CORPS, EXEMPLES, PERSONNE
from services.notifications.messages.sms import PUSH, SMS, rediger_push, rediger_sms

PREFIXE = "/v1/notifications/apercu"

CSP = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-src 'self'; frame-ancestors 'none'"
)
"""No script, no request, from the page or from the mail: the frame inherits it, and needs its inline styles."""

_ENTETES = {"Content-Security-Policy": CSP, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
# A fixed day, so that the same message looks the same.
_JOUR = dt.datetime(2027, 3, 12, 9, tzinfo=dt.UTC)

_env = Environment(
    loader=FileSystemLoader(GABARITS / "apercu"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)

routeur = APIRouter(prefix=PREFIXE, include_in_schema=False, dependencies=[Depends(requires("moderateur"))])


async def _compositeur(request: Request) -> Compositeur:
    trouve: Compositeur = request.app.state.compositeur
    return trouve


@routeur.get("")
async def liste() -> HTMLResponse:
    messages = [
        {
            "genre": genre.value,
            "objet": objet(genre, EXEMPLES[genre]),
            "version": message.version,
            "canaux": ", ".join(sorted(message.canaux)),
        }
        for genre, message in MESSAGES.items()
    ]
    return _page("liste.html.j2", messages=messages)


@routeur.get("/{nom}")
async def message(nom: str, compositeur: Annotated[Compositeur, Depends(_compositeur)]) -> HTMLResponse:
    if nom not in list(Genre):
        raise not_found("Ce message")
    genre = Genre(nom)
    contenu = {**EXEMPLES[genre], **PERSONNE}
    sms = rediger_sms(genre, contenu) if genre in SMS else None
    return _page(
        "message.html.j2",
        genre=genre.value,
        version=MESSAGES[genre].version,
        consentement=MESSAGES[genre].consentement,
        objet=objet(genre, EXEMPLES[genre]),
        courriel=compositeur.rendre(genre, EXEMPLES[genre]).rempli(CORPS, _JOUR) if MESSAGES[genre].gabarit else None,
        sms=sms and {"texte": sms, "parties": compter(sms), "codage": codage(sms).name, "longueur": len(sms)},
        push=rediger_push(genre, contenu) if genre in PUSH else None,
    )


def _page(nom: str, **contexte: Any) -> HTMLResponse:
    return HTMLResponse(_env.get_template(nom).render(contexte, prefixe=PREFIXE), headers=_ENTETES)
