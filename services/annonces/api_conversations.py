"""Routes of conversations: read, write, share, close."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from kit.http.problems import not_found
from kit.http.tokens import Identity
from kit.http.versions import respond
from kit.ids import new_id, stable_id
from kit.messaging.outbox import Tx
from services.annonces.actions import Deps
from services.annonces.api_annonces import CleIdempotence, mienne
from services.annonces.conversations import views
from services.annonces.conversations.actions import (
    INTROUVABLE,
    coordonnee,
    ecrire,
    fermer,
    lire_la_mienne,
    rencontre,
    retirer,
)
from services.annonces.conversations.requetes import MessageSaisi, PartageSaisi
from services.annonces.conversations.rules import Message, PasParticipant
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
    message = Message(_message_id(reponse_id, compte, cle), reponse_id, compte.sub, saisie.texte, deps.clock.now())
    return await _ecrire(message, deps, saisie.prenom)


@router.post(
    "/v1/reponses/{reponse_id}/partage",
    status_code=201,
    summary="Partager mon adresse ou mon numéro dans une conversation",
    response_model=views.VueMessage,
    responses=documented(401, 404, 409, 422, 429),
)
async def partager(
    reponse_id: str, saisie: PartageSaisi, compte: Compte, deps: AvecDeps, cle: CleIdempotence = None
) -> Response:
    """Writes a message that holds it, as it is known now. It can be taken back."""
    await lire_la_mienne(deps, reponse_id, compte.sub)
    valeur = await coordonnee(deps, compte.sub, saisie.quoi)
    message_id = _message_id(reponse_id, compte, cle)
    return await _ecrire(Message(message_id, reponse_id, compte.sub, valeur, deps.clock.now(), carte=saisie.quoi), deps)


@router.post(
    "/v1/reponses/{reponse_id}/messages/{message_id}/retrait",
    status_code=204,
    summary="Reprendre une adresse ou un numéro que j’ai partagé",
    responses=documented(401, 404),
)
async def reprendre(reponse_id: str, message_id: str, compte: Compte, deps: AvecDeps) -> Response:
    async def work(tx: Tx) -> None:
        await retirer(tx, deps, reponse_id, message_id, compte.sub)

    await deps.outbox.run(work)
    return Response(status_code=204)


def _message_id(reponse_id: str, compte: Identity, cle: str | None) -> str:
    return stable_id("message", reponse_id, compte.sub, cle) if cle else new_id()


async def _ecrire(message: Message, deps: Deps, prenom: str | None = None) -> Response:
    async def work(tx: Tx) -> Message:
        ecrit = await ecrire(tx, deps, message)
        if prenom is not None:
            await deps.conversations.donner_prenom(message.de, prenom, tx.session)
        return ecrit

    try:
        ecrit = await deps.outbox.run_or_find(work)
    except PasParticipant as error:
        raise not_found(INTROUVABLE) from error
    conversation = await lire_la_mienne(deps, message.conversation_id, message.de)
    prenoms = await deps.conversations.prenoms([message.de])
    return respond(views.message(conversation, ecrit, message.de, prenoms), 201)


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
