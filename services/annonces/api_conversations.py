"""Routes of conversations: read, write, close."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from kit.ids import new_id, stable_id
from kit.outbox import Tx
from kit.problems import not_found
from kit.versions import respond
from services.annonces import conversation_views as views
from services.annonces.api_annonces import CleIdempotence, mienne
from services.annonces.conversation_actions import INTROUVABLE, ecrire, fermer, lire_la_mienne, rencontre, une_fois
from services.annonces.conversation_requetes import MessageSaisi
from services.annonces.conversations import Message, PasParticipant
from services.annonces.saisie import Requete
from services.annonces.web import AvecDeps, Compte, documented

router = APIRouter(tags=["conversations"])


class PageMessages(Requete):
    page: int = Field(default=1, ge=1, le=1000)
    taille: int = Field(default=50, ge=1, le=50)


@router.get(
    "/v1/reponses/{reponse_id}/messages",
    summary="Lire la conversation d’une réponse",
    response_model=views.VueConversation,
    responses=documented(401, 404),
)
async def lister(reponse_id: str, compte: Compte, deps: AvecDeps, page: Annotated[PageMessages, Query()]) -> Response:
    conversation = await lire_la_mienne(deps, reponse_id, compte.sub)
    messages, total = await deps.conversations.page(reponse_id, page.page, page.taille)
    ecrits_par = {message.de for message in messages}
    prenoms = await deps.conversations.prenoms(ecrits_par | {compte.sub, *conversation.en_face(compte.sub)})
    return respond(
        views.conversation(conversation, compte.sub, messages, prenoms, total=total, page=page.page, taille=page.taille)
    )


@router.post(
    "/v1/reponses/{reponse_id}/messages",
    status_code=201,
    summary="Écrire dans la conversation d’une réponse",
    response_model=views.VueMessage,
    responses=documented(401, 404, 409, 422, 429),
)
async def envoyer(
    reponse_id: str, saisie: MessageSaisi, compte: Compte, deps: AvecDeps, cle: CleIdempotence = None
) -> Response:
    """The same message twice under one Idempotency-Key is written once."""
    message_id = stable_id("message", reponse_id, compte.sub, cle) if cle else new_id()

    async def work(tx: Tx) -> Message:
        message = Message(message_id, reponse_id, compte.sub, saisie.texte, deps.clock.now())
        ecrit = await ecrire(tx, deps, message)
        if saisie.prenom is not None:
            await deps.conversations.donner_prenom(compte.sub, saisie.prenom, tx.session)
        return ecrit

    try:
        message = await une_fois(deps, work)
    except PasParticipant as error:
        raise not_found(INTROUVABLE) from error
    conversation = await lire_la_mienne(deps, reponse_id, compte.sub)
    prenoms = await deps.conversations.prenoms([compte.sub])
    return respond(views.message(conversation, message, compte.sub, prenoms), 201)


@router.get(
    "/v1/reponses/{reponse_id}/rencontre",
    summary="Où et quand se retrouver, une fois la réponse acceptée",
    response_model=views.VueRencontre,
    responses=documented(401, 403, 404),
)
async def lire_rencontre(reponse_id: str, compte: Compte, deps: AvecDeps) -> Response:
    await lire_la_mienne(deps, reponse_id, compte.sub)
    return respond(await rencontre(deps, reponse_id, compte.sub))


@router.get(
    "/v1/annonces/{annonce_id}/rendez-vous",
    summary="Le lieu exact et ce qu’il faut apporter, pour qui a déposé l’annonce",
    response_model=views.VueRendezVous,
    responses=documented(401, 404),
)
async def lire_rendez_vous(annonce_id: str, compte: Compte, deps: AvecDeps) -> Response:
    await mienne(deps, annonce_id, compte.sub)
    found = await deps.rendez_vous.lire(annonce_id)
    return respond(views.VueRendezVous(lieu_prive=found.lieu_prive, a_apporter=found.a_apporter))


@router.post(
    "/v1/reponses/{reponse_id}/conversation/fermeture",
    status_code=204,
    summary="Fermer la conversation d’une réponse",
    responses=documented(401, 404),
)
async def clore(reponse_id: str, compte: Compte, deps: AvecDeps) -> Response:
    """Nobody can write in it any more, on either side; what was written can still be read."""

    async def work(tx: Tx) -> None:
        await fermer(tx, deps, reponse_id, compte.sub)

    try:
        await deps.outbox.run(work)
    except PasParticipant as error:
        raise not_found(INTROUVABLE) from error
    return Response(status_code=204)
