"""A conversation between the one who answered an annonce and those who posted it: who may write, and under which name.
Pure.

There is one for each reponse, from the moment it is given, and it has the id of the reponse. The members of an
association speak with one voice: the other side reads the name of the association, they read who of them wrote.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from contracts.annonces import Annonce, Reponse
from contracts.commun import Auteur, Identifiant, TypeAuteur
from contracts.conversations import ConversationClose, MessageEcrit
from contracts.effacement import COMPTE_EFFACE
from contracts.notifications import Canal
from services.annonces.domain import Refus

CONSERVATION = dt.timedelta(days=365)
"""How long messages are kept after the end of the annonce, or after the last message if that is later."""
MESSAGES_PAR_CONVERSATION = 1000
MESSAGES_PAR_HEURE = 30
"""Of one person, in all of their conversations."""


class Cote(StrEnum):
    """The two sides of a conversation."""

    REPONDANT = "repondant"
    AUTEUR = "auteur"


class Carte(StrEnum):
    """What somebody shares of their own contact details, by a message that holds nothing else."""

    ADRESSE = "adresse"
    NUMERO = "numero"


class ConversationFermee(Refus):
    """One side has closed it, or one side has erased its account."""


class TropDeMessages(Refus):
    """The limit of one person for an hour, or that of the conversation."""


class PasParticipant(Refus):
    """This account has no part in the conversation."""


@dataclass(frozen=True)
class Conversation:
    """`gerants` are the accounts that answer for the annonce; `nombre`: how many messages were written after the words
    of the reponse itself; `fermee_par` and `fermee_at`: who closed it and when."""

    reponse: Reponse
    annonce: Annonce
    gerants: Sequence[Identifiant]
    nombre: int = 0
    fermee_par: Identifiant | None = None
    fermee_at: dt.datetime | None = None

    @property
    def conversation_id(self) -> Identifiant:
        return self.reponse.reponse_id

    @property
    def ouverte(self) -> bool:
        return self.fermee_at is None and all(self.comptes(cote) for cote in Cote)

    @property
    def version(self) -> int:
        """It grows with each message, when it is closed and when the reponse changes."""
        return self.nombre + self.reponse.version + (self.fermee_at is not None)

    def comptes(self, cote: Cote) -> list[Identifiant]:
        """The accounts on this side that were not erased."""
        comptes = [self.reponse.compte_id] if cote is Cote.REPONDANT else self.gerants
        return [compte for compte in comptes if compte != COMPTE_EFFACE]

    def cote(self, compte_id: Identifiant) -> Cote:
        """Raises PasParticipant."""
        for cote in Cote:
            if compte_id in self.comptes(cote):
                return cote
        raise PasParticipant(f"not a participant of {self.conversation_id}")

    def en_face(self, compte_id: Identifiant) -> list[Identifiant]:
        """The accounts of the other side. Raises PasParticipant."""
        cote = self.cote(compte_id)
        return self.comptes(Cote.AUTEUR if cote is Cote.REPONDANT else Cote.REPONDANT)

    def purge_at(self, now: dt.datetime) -> dt.datetime:
        """When its messages are deleted, if none is written after `now`."""
        return max(self.annonce.expire_at, now) + CONSERVATION


@dataclass(frozen=True)
class RendezVous:
    """What only accepted people read: the exact place, and what to bring. `version` grows with each change, from 0 for
    what was never said."""

    lieu_prive: str | None = None
    a_apporter: str | None = None
    version: int = 0


@dataclass(frozen=True)
class Message:
    """`texte` None: it was erased with the account of its author, or withdrawn by them. `canal` None: written on the
    site. `carte`: the text is this contact detail of its author."""

    message_id: Identifiant
    conversation_id: Identifiant
    de: Identifiant
    texte: str | None
    ecrit_at: dt.datetime
    canal: Canal | None = None
    carte: Carte | None = None


def verifier_ecriture(conversation: Conversation, compte_id: Identifiant, cette_heure: int) -> None:
    """May this account write one more message, after `cette_heure` within the last hour?

    Raises PasParticipant, ConversationFermee or TropDeMessages.
    """
    conversation.cote(compte_id)
    if not conversation.ouverte:
        raise ConversationFermee(f"{conversation.conversation_id} is closed")
    if conversation.nombre >= MESSAGES_PAR_CONVERSATION or cette_heure >= MESSAGES_PAR_HEURE:
        raise TropDeMessages(f"too many messages in {conversation.conversation_id}")


def ecrire(
    conversation: Conversation, message_id: Identifiant, compte_id: Identifiant, now: dt.datetime
) -> MessageEcrit:
    """Raises PasParticipant."""
    return MessageEcrit(
        conversation_id=conversation.conversation_id,
        annonce_id=conversation.annonce.annonce_id,
        message_id=message_id,
        de=compte_id,
        pour=conversation.en_face(compte_id),
        ecrit_at=now,
    )


def annoncer_rendez_vous(rendez_vous: RendezVous) -> str:
    """What accepted people read in their conversation when the meeting has changed."""
    lignes = ["Le rendez-vous a changé."]
    if rendez_vous.lieu_prive:
        lignes.append(f"Où se retrouver\u00a0: {rendez_vous.lieu_prive}")
    if rendez_vous.a_apporter:
        lignes.append(f"À apporter\u00a0: {rendez_vous.a_apporter}")
    return "\n".join(lignes)


def fermer(conversation: Conversation, compte_id: Identifiant) -> ConversationClose:
    """Raises PasParticipant."""
    return ConversationClose(
        conversation_id=conversation.conversation_id,
        annonce_id=conversation.annonce.annonce_id,
        par=compte_id,
        pour=conversation.en_face(compte_id),
    )


def nom_affiche(auteur: Auteur, de: Cote, pour: Cote, prenom: str | None) -> str:
    """The name under which a person of the side `de` is shown to the side `pour`; `prenom`: theirs, if it is known."""
    if de is Cote.REPONDANT:
        return prenom or "La personne qui a répondu"
    if auteur.type is TypeAuteur.PARTICULIER:
        return prenom or "La personne qui a déposé l’annonce"
    if pour is Cote.AUTEUR:
        return prenom or "Un membre de l’équipe"
    return auteur.nom or "L’équipe qui a déposé l’annonce"
