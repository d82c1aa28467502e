"""What providers call back: receipts and inbound SMS, events of relays, mails that come back. Signed, each of them."""

from collections.abc import Sequence

from fastapi import APIRouter, Request, Response

from kit.problems import Problem, not_found
from services.notifications.canaux.email import bounces, webhook
from services.notifications.canaux.feedback import Retour, SmsRecu
from services.notifications.canaux.sms import webhook as sms_webhook
from services.notifications.deps import Acces, Deps

public = APIRouter(prefix="/v1/rappels", include_in_schema=False)

_ENTETES = sms_webhook.Entetes(horodatage="X-Horodatage")


@public.post("/sms/{fournisseur}", status_code=204)
async def rappel_sms(fournisseur: str, request: Request, deps: Deps) -> Response:
    """204 once everything is stored, so that the provider may forget it. The same again changes nothing."""
    secret = deps.secrets_des_fournisseurs.get(fournisseur)
    if not secret:
        raise not_found("Ce fournisseur")
    corps = await request.body()
    try:
        recus = sms_webhook.verifier(
            corps, request.headers, secret, deps.runtime.clock.now(), fournisseur=fournisseur, noms=_ENTETES
        )
    except sms_webhook.Malforme as error:
        raise _malforme(error) from error
    except sms_webhook.RappelRefuse as error:
        raise _refuse(error) from error
    for recu in recus:
        if isinstance(recu, SmsRecu):
            await deps.atelier.reception.recevoir(recu)
    return await _noter([recu for recu in recus if isinstance(recu, Retour)], deps)


@public.post("/email", status_code=204)
async def rappel_email(request: Request, deps: Deps) -> Response:
    """Events of a relay, as canaux/email/evenements.py describes them."""
    corps = await request.body()
    try:
        retours = webhook.verifier_webhook(
            corps, request.headers, deps.secret_relais, deps.runtime.clock.now(), domaine=deps.domaine
        )
    except webhook.Malforme as error:
        raise _malforme(error) from error
    except webhook.RetourRefuse as error:
        raise _refuse(error) from error
    return await _noter(retours, deps)


@public.post("/courriel-retour", status_code=204)
async def courriel_retour(request: Request, deps: Deps) -> Response:
    """A mail to the return address, whole, posted by the server that receives it: a bounce or a complaint."""
    corps, now = await request.body(), deps.runtime.clock.now()
    try:
        webhook.verifier_signature(corps, request.headers, deps.secret_relais, now)
    except webhook.Malforme as error:
        raise _malforme(error) from error
    except webhook.RetourRefuse as error:
        raise _refuse(error) from error
    return await _noter(bounces.lire(corps, now, deps.domaine), deps)


async def _noter(retours: Sequence[Retour], deps: Acces) -> Response:
    await deps.atelier.suivi.recevoir(retours)
    return Response(status_code=204)


def _refuse(error: Exception) -> Problem:
    return Problem(401, "signature-refusee", "Signature refusée", "Cet appel n’est pas signé, ou plus valable.")


def _malforme(error: Exception) -> Problem:
    return Problem(400, "rappel-illisible", "Rappel illisible", "Cet appel n’a pas la forme attendue.")
