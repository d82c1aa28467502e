"""Events of the conversations in annonces. They contain ids only: the text of a message is in no topic.

There is one conversation per reponse, with the same id. A service that sends a message to somebody asks annonces for
its text at that moment, so that an erased text is not sent.
"""

from typing import ClassVar

from contracts.base import Evenement
from contracts.commun import Identifiant, Instant


class EvenementConversation(Evenement):
    """`pour`: the accounts to be told, which never hold the one that acted."""

    topic: ClassVar[str] = "annonces.conversation.v1"
    conversation_id: Identifiant
    annonce_id: Identifiant
    pour: list[Identifiant]

    @property
    def key(self) -> str:
        return self.conversation_id


class MessageEcrit(EvenementConversation):
    """`de` has written to the other side. The words that came with the reponse itself are told by ReponseDeposee."""

    message_id: Identifiant
    de: Identifiant
    ecrit_at: Instant


class ConversationClose(EvenementConversation):
    """`par` has closed it: nobody can write in it any more."""

    par: Identifiant
