"""The relays in SMTP_URL, and the choice of the relay for the next batch: weighted, and a relay that could not be
reached recently is tried last."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

from contracts.notifications import Canal
from services.notifications.canaux.provider_pauses import ProviderPauses

_ABSENCE_S = 30.0
"""How long an unreachable relay is tried last, because each attempt may cost a batch a whole time-out."""

_POIDS_MAX = 1000


@dataclass(frozen=True)
class Serveur:
    hote: str
    port: int
    tls: bool = False
    starttls: bool = False
    utilisateur: str | None = None
    mot_de_passe: str | None = field(default=None, repr=False)
    poids: int = 1

    @property
    def nom(self) -> str:
        """Name in ledger, metrics and logs: host:port."""
        return f"{self.hote}:{self.port}"


def lire_urls(urls: str) -> list[Serveur]:
    """Parses relays separated by commas; a comma in a password is written %2C. Raises ValueError."""
    serveurs = [lire_url(url.strip()) for url in urls.split(",") if url.strip()]
    if not serveurs:
        raise ValueError("SMTP_URL must name at least one relay")
    if len({serveur.nom for serveur in serveurs}) < len(serveurs):
        raise ValueError("SMTP_URL names the same host and port twice")
    return serveurs


def lire_url(url: str) -> Serveur:
    """Parses smtp://[user:password@]host[:port][?starttls=1&poids=N] or smtps://…. Raises ValueError, without quoting
    the URL."""
    parts = urlsplit(url)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise ValueError("SMTP_URL must look like smtp://host:port or smtps://user:password@host")
    tls, options = parts.scheme == "smtps", parse_qs(parts.query)
    return Serveur(
        parts.hostname,
        parts.port or (465 if tls else 25),
        tls,
        options.get("starttls") == ["1"],
        unquote(parts.username) if parts.username else None,
        unquote(parts.password) if parts.password else None,
        _poids(options.get("poids", ["1"])),
    )


def _poids(valeurs: list[str]) -> int:
    texte = valeurs[-1]
    if len(texte) > 4 or not (texte.isascii() and texte.isdigit()) or not 1 <= int(texte) <= _POIDS_MAX:
        raise ValueError(f"SMTP_URL: poids must be a whole number from 1 to {_POIDS_MAX}")
    return int(texte)


def au_poids(candidats: Sequence[Serveur]) -> Serveur:
    """A random relay, with probabilities proportional to the weights."""
    return random.choices(candidats, [serveur.poids for serveur in candidats])[0]


class Relais:
    """The relays of one process, shared by its connections: a relay found unreachable by one is avoided by the
    others."""

    def __init__(
        self,
        serveurs: Sequence[Serveur],
        choisir: Callable[[Sequence[Serveur]], Serveur] = au_poids,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._serveurs = list(serveurs)
        self._choisir = choisir
        self._monotonic = monotonic
        self.retenues = ProviderPauses(Canal.EMAIL, monotonic)
        self._absents: dict[str, float] = {}

    def proposer(self, essayes: frozenset[str]) -> Serveur | None:
        """The relay to try next; None once all were tried, except those that refuse us."""
        exclus = essayes | self.retenues.parmi(self._noms)
        restants = [serveur for serveur in self._serveurs if serveur.nom not in exclus]
        now = self._monotonic()
        candidats = [serveur for serveur in restants if self._absents.get(serveur.nom, 0.0) <= now] or restants
        return self._choisir(candidats) if candidats else None

    @property
    def tous_refusent(self) -> bool:
        """True when every relay refuses us."""
        return len(self.retenues.parmi(self._noms)) == len(self._serveurs)

    def absent(self, nom: str) -> None:
        self._absents[nom] = self._monotonic() + _ABSENCE_S

    def present(self, nom: str) -> None:
        self._absents.pop(nom, None)

    @property
    def _noms(self) -> list[str]:
        return [serveur.nom for serveur in self._serveurs]
