"""A message of a conversation becomes a mail or an SMS to each person of the other side."""

from typing import Any

from contracts.conversations import MessageEcrit
from contracts.envois import Motif
from contracts.notifications import Canal
from kit.messaging.outbox import Tx
from services.notifications.contacts.store import Contact, Contacts
from services.notifications.conversations import rhythm
from services.notifications.conversations.fils import Fils
from services.notifications.delivery.outgoing import Courrier
from services.notifications.domain import Genre
from services.notifications.messages.catalogue import MESSAGES
from services.notifications.registre.ids import id_message
from services.notifications.registre.store import Registre


class Messages:
    def __init__(self, registre: Registre, contacts: Contacts, fils: Fils, courrier: Courrier) -> None:
        self._registre = registre
        self._contacts = contacts
        self._fils = fils
        self._courrier = courrier

    async def prevenir(self, event: MessageEcrit, tx: Tx) -> None:
        """The first message leaves at once; what follows it closely waits, and leaves as one."""
        effaces = await self._contacts.effaces(event.pour, tx.session)
        pour = [compte_id for compte_id in event.pour if compte_id not in effaces]
        contacts = await self._contacts.trouver(pour)
        for compte_id in pour:
            await self._prevenir(event, compte_id, contacts.get(compte_id), tx)

    async def _prevenir(self, event: MessageEcrit, compte_id: str, contact: Contact | None, tx: Tx) -> None:
        contenu_id = f"{Genre.MESSAGE_RECU}:{event.conversation_id}"
        canal, dernier_at = await self._fils.ecrire(event.conversation_id, compte_id, tx.session)
        canal = contact.sinon_courriel(canal) if contact else Canal.EMAIL
        if await self._registre.joindre_message(compte_id, contenu_id, event.message_id, tx.session):
            return
        depart = rhythm.depart(dernier_at, self._registre.clock.now())
        plus_tard: dict[str, Any] = {"reprise_at": depart, "motif": Motif.MESSAGES_GROUPES.value} if depart else {}
        ligne = self._registre.ligne(
            id_message(Genre.MESSAGE_RECU, event.message_id, compte_id, canal),
            Genre.MESSAGE_RECU,
            canal,
            compte_id,
            contenu_id,
            MESSAGES[Genre.MESSAGE_RECU].version,
            messages=[event.message_id],
            **plus_tard,
        )
        donnees = {"reponse_id": event.conversation_id, "annonce_id": event.annonce_id}
        await self._courrier.deposer(contenu_id, Genre.MESSAGE_RECU, donnees, [ligne], tx)
