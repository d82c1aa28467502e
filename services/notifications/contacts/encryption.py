"""Contact details at rest: AES-256-GCM under a named key, bound to the row that holds them; a keyed hash to compare."""

import base64
import hashlib
import hmac
import os
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE = 12


class Illisible(Exception):
    """Altered, or taken from another row."""


class CleInconnue(Exception):
    """It was encrypted under a key that this process was not given: all of its kind would fail alike."""


class Coffre:
    def __init__(self, cles: str) -> None:
        """`cles`: comma-separated, 32 bytes each as urlsafe base64; the first encrypts. Raises ValueError."""
        brutes = [base64.urlsafe_b64decode(cle.strip()) for cle in cles.split(",") if cle.strip()]
        if not brutes or any(len(brute) != 32 for brute in brutes):
            raise ValueError("cle_chiffrement needs one or more keys of 32 bytes, as urlsafe base64")
        self._cles = {_nom(brute): AESGCM(brute) for brute in brutes}
        self.courante = _nom(brutes[0])
        """The name of the key that encrypts."""
        # Derived: the hash and the cipher never share a key.
        self._cles_empreinte = [hmac.digest(brute, b"empreinte", hashlib.sha256) for brute in brutes]

    def fermer(self, clair: str, proprietaire: str) -> dict[str, Any]:
        """{cle, contenu}: the id of the key; nonce and ciphertext, which open only with the same `proprietaire`."""
        nonce = os.urandom(_NONCE)
        contenu = self._cles[self.courante].encrypt(nonce, clair.encode(), proprietaire.encode())
        return {"cle": self.courante, "contenu": nonce + contenu}

    def ouvrir(self, ferme: dict[str, Any], proprietaire: str) -> str:
        """Raises Illisible or CleInconnue."""
        cle, contenu = self._cles.get(ferme["cle"]), bytes(ferme["contenu"])
        if cle is None:
            raise CleInconnue(f"key {ferme['cle']} is not among ours")
        try:
            return cle.decrypt(contenu[:_NONCE], contenu[_NONCE:], proprietaire.encode()).decode()
        except InvalidTag as error:
            raise Illisible("altered, or not of this row") from error

    def empreinte(self, adresse: str) -> str:
        """A keyed hash of a normalised address, under the current key."""
        return self.empreintes(adresse)[0]

    def empreintes(self, adresse: str) -> list[str]:
        """Under each key, the current one first: what is looked for may have been stored before a rotation."""
        normale = normaliser(adresse).encode()
        return [hmac.new(cle, normale, hashlib.sha256).hexdigest() for cle in self._cles_empreinte]


def normaliser(adresse: str) -> str:
    return adresse.strip().casefold()


def _nom(cle: bytes) -> str:
    return hashlib.sha256(b"nom de cle" + cle).hexdigest()[:8]
