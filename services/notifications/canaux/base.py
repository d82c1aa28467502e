"""What the deliverer needs of a channel, and the error types of a hand-over.

The error type decides what becomes of the message. Only failures due to the recipient or the message can end it:
Permanent at once, Temporaire after a number of attempts. Failures due to the provider (Sature, Injoignable) or to us
(NousRefuse) do not count as attempts: the message waits until the problem is solved. `faults.py` tells these cases
apart, with one table per channel.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from contracts.notifications import Canal as NomDeCanal


@dataclass(frozen=True)
class Colis:
    """A message ready for a provider.

    `adresse`: an e-mail address, an E.164 number (+33612345678), or the push subscription of a browser as JSON.
    `contenu`: a complete mail (bytes), or the text of an SMS or push notification.
    """

    envoi_id: str
    adresse: str
    contenu: bytes | str


@dataclass(frozen=True)
class Recu:
    """The provider has accepted the message. `reference`: its id of the message, used in receipts; `parties`: number of
    SMS to pay."""

    fournisseur: str
    reference: str | None = None
    parties: int = 1


class EchecRemise(Exception):
    """`motif` is stored and shown, so it never contains an address or the provider's free text."""

    def __init__(self, motif: str, fournisseur: str | None = None) -> None:
        super().__init__(motif)
        self.motif = motif
        self.fournisseur = fournisseur


class Permanent(EchecRemise):
    """The provider will never accept this message."""


class Temporaire(EchecRemise):
    """The provider refuses this message for now."""


class Sature(Temporaire):
    """The provider has a temporary problem, or asks us to slow down. Other messages may be tried, and another provider
    can take this one at once."""


class Injoignable(EchecRemise):
    """The provider does not answer: nothing was handed over, and nothing else can be."""


class NousRefuse(Injoignable):
    """The provider refuses us, whatever the message: settings, password, credit, quota, sender. It gets nothing for a
    while (provider_pauses.py), and operators are warned."""


class Inconnu(EchecRemise):
    """The message was sent but not answered: the provider may have accepted it."""


WaitForRate = Callable[[str, int], Awaitable[None]]
"""Returns once this number of messages may be given to a provider (by name)."""


async def sans_limite(fournisseur: str, nombre: int) -> None:
    """For providers without a rate limit."""


Issue = Recu | EchecRemise
"""The outcome of one message."""


class ProviderChoice(Protocol):
    """Chooses among several providers of a channel."""

    def choisir(self, exclus: frozenset[str]) -> str:
        """The name of a provider that is not in `exclus`, which never contains all of them."""
        ...

    def noter(self, fournisseur: str, *, succes: bool, duree_s: float) -> None:
        """Reports a hand-over, or a failed attempt to connect. A refused address is not a failure of the provider."""
        ...


class Connexion(Protocol):
    """One connection to a provider, used by one task at a time."""

    async def preparer(self) -> None:
        """Returns once the provider answers. Raises Injoignable."""
        ...

    async def remettre(self, colis: Sequence[Colis], tenu: Callable[[], bool]) -> list[Issue]:
        """Returns one outcome per message, in order; never raises for what a provider does.

        `tenu` is called before each message: once it returns False, no further message is started. Messages that were
        not started get Injoignable; messages sent without an answer get Inconnu.
        """
        ...

    async def fermer(self) -> None: ...


class Canal(Protocol):
    @property
    def nom(self) -> NomDeCanal: ...

    def connexion(self) -> Connexion:
        """A new connection, which is not open yet."""
        ...
