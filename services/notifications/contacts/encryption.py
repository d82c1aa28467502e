"""Encrypts contact details at rest (kit/database/encryption.py), and computes keyed hashes to compare them."""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from kit.database.encryption import Cipher, UnknownKey, Unreadable

Illisible = Unreadable
CleInconnue = UnknownKey


class ContactCipher:
    def __init__(self, cles: str) -> None:
        """`cles`: keys separated by commas, 32 bytes each as URL-safe base64; the first one encrypts. Raises
        ValueError."""
        self._cipher = Cipher(cles, "cle_chiffrement")
        self.courante = self._cipher.current
        """The name of the key that encrypts."""
        # Derived keys, so that hash and cipher never share a key.
        self._cles_empreinte = [hmac.digest(brute, b"empreinte", hashlib.sha256) for brute in self._cipher.raw]

    def fermer(self, clair: str, proprietaire: str) -> dict[str, Any]:
        """Returns {cle, contenu}: name of the key; nonce and ciphertext. `ouvrir` needs the same `proprietaire`."""
        return self._cipher.encrypt(clair, proprietaire)

    def ouvrir(self, ferme: Mapping[str, Any], proprietaire: str) -> str:
        """Raises Illisible or CleInconnue."""
        return self._cipher.decrypt(ferme, proprietaire)

    def empreinte(self, adresse: str) -> str:
        """A keyed hash of a normalised address, under the current key."""
        return self.empreintes(adresse)[0]

    def empreintes(self, adresse: str) -> list[str]:
        """Hashes with each key, current key first: the stored hash may be from before a rotation."""
        normale = normaliser(adresse).encode()
        return [hmac.new(cle, normale, hashlib.sha256).hexdigest() for cle in self._cles_empreinte]


def normaliser(adresse: str) -> str:
    return adresse.strip().casefold()
