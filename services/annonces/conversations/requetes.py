"""The bodies of the requests about conversations. Pure."""

from typing import Annotated

from pydantic import Field

from contracts.commun import Identifiant
from contracts.notifications import Canal
from services.annonces.conversations.rules import Carte
from services.annonces.saisie import Prenom, Requete, Texte

Mots = Annotated[Texte, Field(min_length=1, max_length=4000)]
"""What one message says."""


class MessageSaisi(Requete):
    """`prenom`: that of the person who writes, kept for all of their conversations; absent: it stays as it is."""

    texte: Mots
    prenom: Prenom | None = None


class PartageSaisi(Requete):
    quoi: Carte


class MessageRelaye(Requete):
    """A message that came by another way than the site; `message_id` is the same for each try."""

    message_id: Identifiant
    compte_id: Identifiant
    texte: Mots
    canal: Canal
