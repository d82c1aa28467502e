"""The address to which one person writes back in one conversation: fil+<jeton>@<domaine>. Pure."""

import base64
import hashlib
import hmac

_PREFIXE = "fil+"
_OCTETS = 15
"""120 bits: nobody guesses one, and the local part has 28 characters of the 64 that RFC 5321 allows."""


class AdressesDeReponse:
    """`domaine`: whose mail comes to the process « entrant »; "" where no mail is taken."""

    def __init__(self, cle_liens: str, domaine: str) -> None:
        """`cle_liens`: 32 random bytes as urlsafe base64. The key of these addresses is derived from it."""
        self._cle = hmac.digest(base64.urlsafe_b64decode(cle_liens.strip()), b"adresses de reponse", hashlib.sha256)
        self._domaine = domaine.casefold()

    @property
    def ouvertes(self) -> bool:
        """Whether people can write back by mail at all."""
        return bool(self._domaine)

    def jeton(self, conversation_id: str, compte_id: str) -> str:
        """The same for the same conversation and person; of letters and digits whose case means nothing, since mail
        programs and servers change it."""
        condense = hmac.digest(self._cle, f"{conversation_id}\x1f{compte_id}".encode(), hashlib.sha256)
        return base64.b32encode(condense[:_OCTETS]).decode().casefold()

    def adresse(self, jeton: str) -> str:
        return f"{_PREFIXE}{jeton}@{self._domaine}"

    def jeton_de(self, adresse: str) -> str | None:
        """The token in an address of ours, whether or not it was ever given to somebody; None for other addresses."""
        locale, _, domaine = adresse.strip().casefold().rpartition("@")
        if domaine != self._domaine or not self._domaine or not locale.startswith(_PREFIXE):
            return None
        return locale.removeprefix(_PREFIXE) or None
