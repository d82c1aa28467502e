"""The one route by which an address or a number leaves this service: its owner shares it in a conversation."""

from typing import Literal

from fastapi import APIRouter, Depends, Response

from contracts.commun import Identifiant
from contracts.notifications import Canal
from kit.http.problems import not_found
from kit.http.tokens import from_service
from services.notifications.deps import Deps, json

interne = APIRouter(prefix="/v1/interne", dependencies=[Depends(from_service("annonces"))], include_in_schema=False)

_CANAUX = {"adresse": Canal.EMAIL, "numero": Canal.SMS}


@interne.get("/coordonnees/{compte_id}/{quoi}")
async def lire_coordonnee(compte_id: Identifiant, quoi: Literal["adresse", "numero"], deps: Deps) -> Response:
    """{valeur}: the e-mail address, or the verified number (E.164). 404: there is none, or the account is erased."""
    contact = (await deps.atelier.contacts.trouver([compte_id])).get(compte_id)
    valeur = contact.adresses.get(_CANAUX[quoi]) if contact else None
    if valeur is None:
        raise not_found("Cette coordonnée")
    return json({"valeur": valeur})
