"""HTTP routes of every operator: faults, inbound SMS, health."""

import json
import sqlite3
from typing import Any, Protocol

from aiohttp import web

from deploy.standins.sms_operators import numeros
from deploy.standins.sms_operators.delivery_loop import DeliveryLoop
from deploy.standins.sms_operators.pannes import PanneInconnue, Pannes
from deploy.standins.sms_operators.registre import OperatorStore

LARGEST_BODY = 64 * 1024
LONGEST_TEXT = 5000


class Operateur(Protocol):
    nom: str
    pannes: Pannes
    facteur: DeliveryLoop
    registre: OperatorStore

    async def entrant(self, de: str, a: str, texte: str) -> str:
        """Accepts an SMS sent by somebody and returns its id. Raises sqlite3.Error when it cannot be stored."""
        ...


def construire(operateur: Operateur, destinataire: str) -> web.Application:
    """`destinataire`: name or number that receives SMS without a recipient."""
    app = web.Application(client_max_size=LARGEST_BODY)

    async def break_it(request: web.Request) -> web.Response:
        try:
            operateur.pannes.remplacer(await corps(request))
        except PanneInconnue as error:
            raise web.HTTPUnprocessableEntity(text=str(error)) from error
        # Receipts that were held back may be due now.
        operateur.facteur.reveiller()
        return web.json_response(operateur.pannes.vues())

    async def inbound(request: web.Request) -> web.Response:
        body = await corps(request)
        if not isinstance(body, dict):
            raise web.HTTPUnprocessableEntity(text="Attendu : un objet JSON {de, a, texte}.")
        de, a, texte = body.get("de"), body.get("a") or destinataire, body.get("texte")
        if not isinstance(de, str) or numeros.e164(de) != de:
            raise web.HTTPUnprocessableEntity(text="« de » doit être un numéro international, comme +33612345678.")
        if not isinstance(a, str) or not 1 <= len(a) <= 20 or not a.isascii() or not a.isprintable():
            raise web.HTTPUnprocessableEntity(text="« a » doit être un numéro ou un nom de 20 caractères au plus.")
        if not isinstance(texte, str) or len(texte) > LONGEST_TEXT:
            raise web.HTTPUnprocessableEntity(
                text=f"« texte » doit être un texte de {LONGEST_TEXT} caractères au plus."
            )
        try:
            message_id = await operateur.entrant(de, a, texte)
        except sqlite3.Error as error:
            raise web.HTTPServiceUnavailable(text="Le SMS n’a pas pu être gardé : réessayez.") from error
        return web.json_response({"id": message_id}, status=202)

    async def state(request: web.Request) -> web.Response:
        dus = operateur.registre.compte()
        return web.json_response({"nom": operateur.nom, "dus": dus, "pannes": operateur.pannes.vues()})

    async def alive(request: web.Request) -> web.Response:
        return web.json_response({"etat": "pret"})

    app.add_routes(
        [
            web.post("/api/pannes", break_it),
            web.post("/api/entrants", inbound),
            web.get("/api/etat", state),
            web.get("/sante/vivant", alive),
            web.get("/sante/pret", alive),
        ]
    )
    return app


async def corps(request: web.Request) -> Any:
    """The decoded JSON body. Raises 413 and 422 with a sentence."""
    try:
        return json.loads(await request.read())
    except web.HTTPRequestEntityTooLarge as error:
        raise web.HTTPRequestEntityTooLarge(LARGEST_BODY, text=f"Pas plus de {LARGEST_BODY} octets.") from error
    except (ValueError, RecursionError) as error:
        raise web.HTTPUnprocessableEntity(text="Le corps doit être du JSON, en UTF-8.") from error
