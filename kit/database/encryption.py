"""Encrypts text at rest: AES-256-GCM with a named key, bound to the row that contains it."""

import base64
import hashlib
import os
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE = 12


class Unreadable(Exception):
    """The ciphertext was altered, or belongs to another row."""


class UnknownKey(Exception):
    """The text is encrypted with a key that this process does not have; all other rows of that key would fail too."""


class Cipher:
    def __init__(self, keys: str, setting: str) -> None:
        """`keys`: keys separated by commas, 32 bytes each as URL-safe base64; the first one encrypts, all of them
        decrypt. `setting`: name of the setting that contains them, for error messages. Raises ValueError."""
        self.raw = [base64.urlsafe_b64decode(key.strip()) for key in keys.split(",") if key.strip()]
        if not self.raw or any(len(raw) != 32 for raw in self.raw):
            raise ValueError(f"{setting} needs one or more keys of 32 bytes, as urlsafe base64")
        self._keys = {_name(raw): AESGCM(raw) for raw in self.raw}
        self.current = _name(self.raw[0])
        """The name of the key that encrypts."""

    def encrypt(self, text: str, owner: str) -> dict[str, Any]:
        """Returns {cle, contenu}: name of the key; nonce and ciphertext. `decrypt` needs the same `owner`."""
        nonce = os.urandom(_NONCE)
        content = self._keys[self.current].encrypt(nonce, text.encode(), owner.encode())
        return {"cle": self.current, "contenu": nonce + content}

    def decrypt(self, encrypted: Mapping[str, Any], owner: str) -> str:
        """Raises Unreadable or UnknownKey."""
        key, content = self._keys.get(encrypted["cle"]), bytes(encrypted["contenu"])
        if key is None:
            raise UnknownKey(f"key {encrypted['cle']} is not among ours")
        try:
            return key.decrypt(content[:_NONCE], content[_NONCE:], owner.encode()).decode()
        except InvalidTag as error:
            raise Unreadable("altered, or not of this row") from error


def _name(raw: bytes) -> str:
    return hashlib.sha256(b"nom de cle" + raw).hexdigest()[:8]
