"""What happens to conversations inside a transaction, whoever asks: the site or the mail of notifications."""

import datetime as dt

from contracts.annonces import EtatReponse
from contracts.commun import Identifiant
from kit.http.problems import Problem, not_found
from kit.ids import stable_id
from kit.messaging.outbox import Tx
from services.annonces.actions import Deps
from services.annonces.conversations import rules, views
from services.annonces.conversations.rules import Carte, Conversation, Message, PasParticipant
from services.annonces.conversations.views import VueRencontre

INTROUVABLE = "Cette conversation"
_RIEN_A_PARTAGER = {
    Carte.ADRESSE: "Nous ne connaissons pas votre adresse e\u2011mail.",
    Carte.NUMERO: "Vous n’avez pas de numéro vérifié\u00a0: ajoutez-le d’abord dans vos préférences.",
}
_HEURE = dt.timedelta(hours=1)


async def ecrire(tx: Tx, deps: Deps, message: Message) -> Message:
    """Stores a message and tells the other side. A second time with the same id: the first one, unchanged.

    `message.ecrit_at` is the present. Raises a 404 problem, a 409 one when the id is that of another message,
    PasParticipant, ConversationFermee or TropDeMessages.
    """
    conversation = await lire(deps, message.conversation_id, tx)
    conversation.cote(message.de)
    connu = await deps.conversations.message(message.message_id, tx.session)
    if connu is not None:
        meme_texte = connu.texte in (None, message.texte)
        if (connu.conversation_id, connu.de) != (message.conversation_id, message.de) or not meme_texte:
            raise Problem(
                409, "message-connu", "Identifiant déjà pris", "Cet identifiant est celui d’un autre message."
            )
        return connu
    cette_heure = await deps.conversations.ecrits_depuis(message.de, message.ecrit_at - _HEURE, tx.session)
    rules.verifier_ecriture(conversation, message.de, cette_heure)
    await _ajouter(tx, deps, conversation, message)
    return message


async def annoncer_rendez_vous(tx: Tx, deps: Deps, annonce_id: Identifiant, par: Identifiant) -> None:
    """Writes where to meet now to everybody who is accepted, in their conversation, in the name of `par`.

    No limit of messages holds here: one change may concern more people than somebody writes to in an hour.
    """
    rendez_vous = await deps.rendez_vous.lire(annonce_id, tx.session)
    texte, now = rules.annoncer_rendez_vous(rendez_vous), deps.clock.now()
    for reponse in await deps.store.reponses_dans(annonce_id, {EtatReponse.ACCEPTEE}, tx.session):
        conversation = await lire(deps, reponse["_id"], tx)
        if conversation.ouverte:
            message_id = stable_id("rendez-vous", reponse["_id"], rendez_vous.version)
            await _ajouter(tx, deps, conversation, Message(message_id, reponse["_id"], par, texte, now))


async def _ajouter(tx: Tx, deps: Deps, conversation: Conversation, message: Message) -> None:
    await deps.conversations.ajouter(message, conversation, tx.session)
    evenement = rules.ecrire(conversation, message.message_id, message.de, message.ecrit_at)
    tx.emit(evenement, event_id=stable_id("message", message.message_id))


async def coordonnee(deps: Deps, compte_id: Identifiant, carte: Carte) -> str:
    """What notifications knows of this account now. Raises ServiceAway, or a 409 problem when it knows nothing."""
    answer = await deps.notifications.call("GET", f"/v1/interne/coordonnees/{compte_id}/{carte.value}")
    if answer.status != 200:
        raise Problem(409, "rien-a-partager", "Rien à partager", _RIEN_A_PARTAGER[carte])
    return str(answer.content["valeur"])


async def retirer(tx: Tx, deps: Deps, conversation_id: Identifiant, message_id: Identifiant, compte_id: str) -> None:
    """Takes back a contact detail that this account shared; again changes nothing. Raises a 404 problem."""
    message = await deps.conversations.message(message_id, tx.session)
    if (
        message is None
        or message.carte is None
        or (message.conversation_id, message.de) != (conversation_id, compte_id)
    ):
        raise not_found("Ce partage")
    await deps.conversations.retirer(message_id, tx.session)


async def fermer(tx: Tx, deps: Deps, conversation_id: Identifiant, compte_id: Identifiant) -> None:
    """Closes it for both sides. Raises a 404 problem or PasParticipant; closing it again changes nothing."""
    conversation = await lire(deps, conversation_id, tx)
    evenement = rules.fermer(conversation, compte_id)
    if not conversation.ouverte:
        return
    await deps.conversations.fermer(conversation_id, compte_id, deps.clock.now(), tx.session)
    tx.emit(evenement)


async def lire(deps: Deps, conversation_id: Identifiant, tx: Tx | None = None) -> Conversation:
    """Raises a 404 problem."""
    conversation = await deps.conversations.lire(conversation_id, tx.session if tx else None)
    if conversation is None:
        raise not_found(INTROUVABLE)
    return conversation


async def rencontre(deps: Deps, reponse_id: Identifiant, compte_id: Identifiant) -> VueRencontre:
    """Raises a 404 problem, or PasParticipant for whoever may not know (yet) where people meet."""
    conversation = await lire(deps, reponse_id)
    prenoms = await deps.conversations.prenoms(conversation.en_face(compte_id))
    rendez_vous = await deps.rendez_vous.lire(conversation.annonce.annonce_id)
    return views.rencontre(conversation, compte_id, prenoms, rendez_vous)


async def lire_la_mienne(deps: Deps, conversation_id: Identifiant, compte_id: Identifiant) -> Conversation:
    """Raises the same 404 problem for a conversation of others: that it exists is nobody else's business."""
    conversation = await lire(deps, conversation_id)
    try:
        conversation.cote(compte_id)
    except PasParticipant as error:
        raise not_found(INTROUVABLE) from error
    return conversation
