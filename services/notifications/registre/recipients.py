"""Reads what a hand-over needs: addresses and choices of the recipients, and which annonces are closed."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.notifications.contacts.store import Contact, Contacts
from services.notifications.domain import Cloture
from services.notifications.registre.store import Registre


@dataclass(frozen=True)
class Recipients:
    """Contacts by account, unsubscribed profils, closures by annonce. May contain those of other messages too."""

    contacts: Mapping[str, Contact]
    desabonnes: set[str]
    clotures: Mapping[str, Cloture]


async def read(
    registre: Registre, contacts: Contacts, comptes: Iterable[str], profils: Iterable[str], annonces: Iterable[str]
) -> Recipients:
    """Raises CleInconnue, and what Mongo raises."""
    return Recipients(
        *await asyncio.gather(contacts.trouver(comptes), registre.desabonnes(profils), registre.clotures(annonces))
    )
