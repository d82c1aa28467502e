"""Where mails are handed over: the relays that SMTP_URL names."""

from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

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
        """What ledger, metrics and logs call it: host:port."""
        return f"{self.hote}:{self.port}"


def lire_urls(urls: str) -> list[Serveur]:
    """Relays separated by commas; a comma inside of a password is written %2C. Raises ValueError."""
    serveurs = [lire_url(url.strip()) for url in urls.split(",") if url.strip()]
    if not serveurs:
        raise ValueError("SMTP_URL must name at least one relay")
    if len({serveur.nom for serveur in serveurs}) < len(serveurs):
        raise ValueError("SMTP_URL names the same host and port twice")
    return serveurs


def lire_url(url: str) -> Serveur:
    """smtp://[user:password@]host[:port][?starttls=1&poids=N] or smtps://…; raises ValueError, which quotes no URL."""
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
