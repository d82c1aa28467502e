"""Make the secrets of an installation, once: ``python -m deploy.secrets DIR``.

``commun/jeton_cle_publique`` and ``gateway/jeton_cle_privee``: an Ed25519 pair as PEM (internal tokens are signed
by the gateway and checked by all); ``gateway/cle_empreinte``, ``notifications/cle_chiffrement`` and
``notifications/cle_liens``: 32 random bytes as URL-safe base64. Each process is given only its own folders. What
exists is left alone: losing ``cle_chiffrement`` is losing every contact detail.
"""

import base64
import os
import secrets
import sys
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_RANDOM_KEYS = ("gateway/cle_empreinte", "notifications/cle_chiffrement", "notifications/cle_liens")


def make(folder: Path) -> list[str]:
    """Make what is missing below ``folder`` (folders 700, files 600). Returns the names of the secrets made."""
    made = []
    private_path = folder / "gateway" / "jeton_cle_privee"
    public_path = folder / "commun" / "jeton_cle_publique"
    if not private_path.exists():
        _write(private_path, _pem_private(Ed25519PrivateKey.generate()))
        made.append("gateway/jeton_cle_privee")
        public_path.unlink(missing_ok=True)
    if not public_path.exists():
        key = serialization.load_pem_private_key(private_path.read_bytes(), password=None)
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        _write(public_path, public)
        made.append("commun/jeton_cle_publique")
    for name in _RANDOM_KEYS:
        if not (folder / name).exists():
            _write(folder / name, base64.urlsafe_b64encode(secrets.token_bytes(32)))
            made.append(name)
    return made


def _pem_private(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all: a crash in the middle must not leave a key that looks made."""
    for parent in (path.parent.parent, path.parent):
        parent.mkdir(parents=True, exist_ok=True)
        parent.chmod(0o700)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    fresh.replace(path)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Usage : python -m deploy.secrets DOSSIER")
    for name in make(Path(sys.argv[1])):
        print(name)
