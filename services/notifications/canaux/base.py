"""What the deliverer needs of a channel, and the four ways in which a hand-off fails: each has its own fate."""

from typing import Protocol

from contracts.notifications import Canal as NomDeCanal


class EchecRemise(Exception):
    """`motif` is stored and shown: it never holds an address nor the provider's free text."""

    def __init__(self, motif: str) -> None:
        super().__init__(motif)
        self.motif = motif


class Permanent(EchecRemise):
    """The provider will never take this message."""


class Temporaire(EchecRemise):
    """The provider refuses it for now."""


class Injoignable(EchecRemise):
    """The provider is away: nothing was handed over, and nothing else would be."""


class Inconnu(EchecRemise):
    """The message was handed over and no answer came: it may have been taken."""


class Connexion(Protocol):
    """One connection to a provider, used by one task at a time."""

    async def preparer(self) -> None:
        """Returns once the provider answers. Raises Injoignable."""
        ...

    async def remettre(self, adresse: str, message: bytes) -> None:
        """Returns once the provider has taken responsibility. Raises an EchecRemise."""
        ...

    async def fermer(self) -> None: ...


class Canal(Protocol):
    @property
    def nom(self) -> NomDeCanal: ...

    def connexion(self) -> Connexion:
        """A new connection, not opened yet."""
        ...
