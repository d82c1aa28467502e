"""Routes for notifications alone, which calls with its own key: what it must write to people, and what they answered.

Nothing here is reachable from outside: the gateway never forwards a path with `interne` in it.
"""

from collections.abc import Mapping
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Response

from contracts.commun import Identifiant
from kit.http.problems import not_found
from kit.http.tokens import from_service
from kit.http.versions import respond
from kit.messaging.outbox import Tx
from services.annonces.conversations import actions, views
from services.annonces.conversations.requetes import MessageRelaye
from services.annonces.conversations.rules import Carte, Message
from services.annonces.web import AvecDeps

router = APIRouter(prefix="/v1/interne", dependencies=[Depends(from_service("notifications"))], include_in_schema=False)

_CARTES = {
    Carte.ADRESSE: "Mon adresse e\u2011mail\u00a0: {}",
    Carte.NUMERO: "Mon numéro de téléphone\u00a0: {}",
}
Pour = Annotated[Identifiant, Query()]


@router.get("/conversations/{conversation_id}/messages/{message_id}")
async def lire_message(conversation_id: str, message_id: str, pour: Pour, deps: AvecDeps) -> Response:
    """{texte, de_nom, annonce_id, annonce_titre, ouverte, ecrit_at}, for the account `pour`.

    The words of the reponse itself have its id. 404: unknown, or erased; 403: `pour` is no participant.
    """
    conversation = await actions.lire(deps, conversation_id)
    cote = conversation.cote(pour)
    if message_id == conversation_id:
        message = await deps.conversations.premier_message(conversation_id)
    else:
        message = await deps.conversations.message(message_id)
    if message is None or message.conversation_id != conversation_id or message.texte is None:
        raise not_found("Ce message")
    prenoms = await deps.conversations.prenoms([message.de])
    return _json(
        {
            "texte": _CARTES[message.carte].format(message.texte) if message.carte else message.texte,
            "de_nom": views.nom_pour(conversation, message.de, cote, prenoms),
            "annonce_id": conversation.annonce.annonce_id,
            "annonce_titre": conversation.annonce.titre,
            "ouverte": conversation.ouverte,
            "ecrit_at": message.ecrit_at,
        }
    )


@router.post("/conversations/{conversation_id}/messages", status_code=201)
async def relayer_message(conversation_id: str, saisie: MessageRelaye, deps: AvecDeps) -> Response:
    """What somebody answered to the mail of a message. Again with the same id: the same answer, nothing twice.

    403: no participant; 409: closed; 429: too many messages.
    """

    async def work(tx: Tx) -> Message:
        message = Message(
            saisie.message_id, conversation_id, saisie.compte_id, saisie.texte, deps.clock.now(), saisie.canal
        )
        return await actions.ecrire(tx, deps, message)

    message = await deps.outbox.run_or_find(work)
    return _json({"message_id": message.message_id, "ecrit_at": message.ecrit_at}, 201)


@router.get("/rencontres/{reponse_id}")
async def lire_rencontre(reponse_id: str, pour: Pour, deps: AvecDeps) -> Response:
    """A VueRencontre, for whoever is accepted and for those who posted the annonce. 403 for everybody else."""
    return respond(await actions.rencontre(deps, reponse_id, pour))


def _json(content: Mapping[str, Any], status: int = 200) -> Response:
    return Response(orjson.dumps(content, option=orjson.OPT_UTC_Z), status_code=status, media_type="application/json")
