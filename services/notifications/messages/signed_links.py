"""The tokens of links: which envoi, which profil, for which use, signed; no address, no account."""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from enum import Enum

_FORME = re.compile(r"([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_-]{43})")


class Usage(Enum):
    """What a link is for: one made to unsubscribe does not answer in somebody's name."""

    DESABONNEMENT = b"desabonnement\x1f"
    REPONSE = b"reponse\x1f"
    FLUX = b"flux\x1f"
    CALENDRIER = b"calendrier\x1f"


@dataclass(frozen=True)
class Lien:
    envoi_id: str
    profil_id: str


class Liens:
    def __init__(self, cle: str) -> None:
        """`cle`: 32 random bytes as urlsafe base64. Raises ValueError for anything shorter."""
        self._cle = base64.urlsafe_b64decode(cle.strip())
        if len(self._cle) < 32:
            raise ValueError("cle_liens needs 32 bytes, as urlsafe base64")

    def signer(self, lien: Lien, usage: Usage = Usage.DESABONNEMENT) -> str:
        """URL-safe, good for ever: somebody may unsubscribe through the oldest mail of their mailbox."""
        contenu = f"{lien.envoi_id}.{lien.profil_id}"
        return f"{contenu}.{self._empreinte(contenu, usage)}"

    def lire(self, jeton: str, usage: Usage = Usage.DESABONNEMENT) -> Lien | None:
        """None for a token that we did not sign."""
        trouve = _FORME.fullmatch(jeton)
        if trouve is None:
            return None
        envoi_id, profil_id, empreinte = trouve.groups()
        if not hmac.compare_digest(empreinte, self._empreinte(f"{envoi_id}.{profil_id}", usage)):
            return None
        return Lien(envoi_id, profil_id)

    def _empreinte(self, contenu: str, usage: Usage) -> str:
        condense = hmac.digest(self._cle, usage.value + contenu.encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(condense).rstrip(b"=").decode()
