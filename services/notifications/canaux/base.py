"""What the deliverer needs of a channel, and the ways in which a hand-off fails: each has its own fate.

Whose fault a failure is decides. Only what is the recipient's or the message's may end a message: Permanent at once,
Temporaire after a counted number of attempts. What is the provider's (Sature, Injoignable) or ours (Retenu) costs the
message no attempt: it waits until somebody has mended it. `faults.py` draws the line, one table per channel.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from contracts.notifications import Canal as NomDeCanal


@dataclass(frozen=True)
class Colis:
    """One message ready for a provider.

    `adresse`: an e-mail address, an E.164 number (+33612345678), or the subscription of a browser as JSON. `contenu`: a
    whole mail (bytes), or the text of an SMS or of a push notification.
    """

    envoi_id: str
    adresse: str
    contenu: bytes | str


@dataclass(frozen=True)
class Recu:
    """The provider has taken responsibility. `reference`: its id of the message, by which receipts come back;
    `parties`: how many SMS are paid."""

    fournisseur: str
    reference: str | None = None
    parties: int = 1


class EchecRemise(Exception):
    """`motif` is stored and shown: it never holds an address nor the provider's free text."""

    def __init__(self, motif: str, fournisseur: str | None = None) -> None:
        super().__init__(motif)
        self.motif = motif
        self.fournisseur = fournisseur


class Permanent(EchecRemise):
    """The provider will never take this message."""


class Temporaire(EchecRemise):
    """The provider refuses this message for now."""


class Sature(Temporaire):
    """The provider has a passing trouble of its own, or wants us to go slower: other messages may have their try, and
    another provider can take this one at once."""


class Injoignable(EchecRemise):
    """The provider is away: nothing was handed over, and nothing else would be."""


class Retenu(Injoignable):
    """The provider refuses us, whatever the message: settings, password, credit, quota, sender. Nothing more is given
    to it for a while (provider_pauses.py), and whoever runs the platform is told."""


class Inconnu(EchecRemise):
    """The message was handed over and no answer came: it may have been taken."""


Cadence = Callable[[str, int], Awaitable[None]]
"""Returns once a provider (by its name) may be given so many messages."""


async def sans_limite(fournisseur: str, nombre: int) -> None:
    """Of providers that take whatever comes."""


Issue = Recu | EchecRemise
"""What became of one parcel."""


class Aiguillage(Protocol):
    """Chooses among several providers of a channel."""

    def choisir(self, exclus: frozenset[str]) -> str:
        """The name of one that is not among `exclus`, which never holds all of them."""
        ...

    def noter(self, fournisseur: str, *, succes: bool, duree_s: float) -> None:
        """One hand-off, or one failed attempt to connect. An address that is refused is no failure of the provider."""
        ...


class Connexion(Protocol):
    """One connection to a provider, used by one task at a time."""

    async def preparer(self) -> None:
        """Returns once the provider answers. Raises Injoignable."""
        ...

    async def remettre(self, colis: Sequence[Colis], tenu: Callable[[], bool]) -> list[Issue]:
        """One outcome per parcel, in order; never raises for what a provider does.

        `tenu` is asked before each message is begun. What was not begun, since it became false or the provider went
        away: Injoignable. What was handed over and not answered: Inconnu.
        """
        ...

    async def fermer(self) -> None: ...


class Canal(Protocol):
    @property
    def nom(self) -> NomDeCanal: ...

    def connexion(self) -> Connexion:
        """A new connection, not opened yet."""
        ...
