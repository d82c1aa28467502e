"""What providers call back: receipts and inbound SMS, events of relays, mails that come back. Signed, each of them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from fastapi import APIRouter, Request, Response

from kit.http.problems import Problem, not_found
from services.notifications.canaux import callback_signature
from services.notifications.canaux.callback_signature import Malforme, RappelRefuse
from services.notifications.canaux.email import bounces
from services.notifications.canaux.email import webhook as email_webhook
from services.notifications.canaux.feedback import Retour, SmsRecu
from services.notifications.canaux.sms import webhook as sms_webhook
from services.notifications.deps import Acces, Deps

public = APIRouter(prefix="/v1/rappels", include_in_schema=False)


@public.post("/sms/{fournisseur}", status_code=204)
async def rappel_sms(fournisseur: str, request: Request, deps: Deps) -> Response:
    """204 once everything is stored, so that the provider may forget it. The same again changes nothing."""
    secret = deps.secrets_des_fournisseurs.get(fournisseur)
    if not secret:
        raise not_found("Ce fournisseur")
    corps, now = await request.body(), deps.runtime.clock.now()
    with _refus():
        callback_signature.verifier(corps, request.headers, secret, now)
        recus = sms_webhook.lire(corps, fournisseur, now)
    for recu in recus:
        if isinstance(recu, SmsRecu):
            await deps.atelier.reception.recevoir(recu)
    return await _noter([recu for recu in recus if isinstance(recu, Retour)], deps)


@public.post("/email", status_code=204)
async def rappel_email(request: Request, deps: Deps) -> Response:
    """Events of a relay, as canaux/email/webhook.py describes them."""
    corps, now = await request.body(), deps.runtime.clock.now()
    with _refus():
        callback_signature.verifier(corps, request.headers, deps.secret_relais, now)
        retours = email_webhook.lire(corps, now, domaine=deps.domaine)
    return await _noter(retours, deps)


@public.post("/courriel-retour", status_code=204)
async def courriel_retour(request: Request, deps: Deps) -> Response:
    """A mail to the return address, whole, posted by the server that receives it: a bounce or a complaint."""
    corps, now = await request.body(), deps.runtime.clock.now()
    with _refus():
        callback_signature.verifier(corps, request.headers, deps.secret_relais, now)
    return await _noter(bounces.lire(corps, now, deps.domaine), deps)


async def _noter(retours: Sequence[Retour], deps: Acces) -> Response:
    await deps.atelier.suivi.recevoir(retours)
    return Response(status_code=204)


@contextmanager
def _refus() -> Iterator[None]:
    """Answers 400 to what is signed and illegible, 401 to what is not believed."""
    try:
        yield
    except Malforme as error:
        raise Problem(400, "rappel-illisible", "Rappel illisible", "Cet appel n’a pas la forme attendue.") from error
    except RappelRefuse as error:
        raise Problem(
            401, "signature-refusee", "Signature refusée", "Cet appel n’est pas signé, ou plus valable."
        ) from error
