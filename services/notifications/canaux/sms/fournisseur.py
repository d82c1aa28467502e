"""What the SMS channel needs of a provider, and the callback for what a provider reports."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from services.notifications.canaux.base import Recu, Sature
from services.notifications.canaux.feedback import Retour, SmsRecu

__all__ = ["FournisseurSms", "Recevoir", "Sature"]

Recevoir = Callable[[Retour | SmsRecu], Awaitable[None]]
"""Stores a report or an inbound SMS and returns once it is stored; the provider is answered afterwards. May be called
twice with the same value."""


class FournisseurSms(Protocol):
    @property
    def nom(self) -> str: ...

    async def pret(self) -> None:
        """Returns once the provider answers. Raises Injoignable."""
        ...

    async def envoyer(self, numero: str, texte: str, envoi_id: str) -> Recu:
        """Hands one SMS over; `numero` in E.164. Raises an EchecRemise with `fournisseur` = `nom`; Sature when the
        provider is too busy."""
        ...
