"""Creates the secrets of an installation, once: ``python -m deploy.stack.secrets DIR``.

- ``gateway/jeton_cle_privee`` and ``commun/jeton_cle_publique``: Ed25519 pair as PEM; the gateway signs internal tokens
  and everybody verifies them
- ``<service>/jeton_cle_privee`` and ``commun/jeton_cle_publique_<service>``: the same for each service that calls
  another
- ``notifications/cle_vapid``: EC key on P-256 as PEM, which identifies us to the push services of browsers
- ``gateway/cle_empreinte``, ``annonces/cle_messages``, ``notifications/cle_chiffrement``, ``notifications/cle_liens``:
  32 random bytes as URL-safe base64
- ``sms/sms_http_cle``, ``sms/sms_http_secret``, likewise: key of the HTTP operator, and key that signs its callbacks
- ``sms/smpp_mot_de_passe``: 8 characters, the maximum of SMPP

Each process gets only its own folders. Existing secrets are never changed: losing ``cle_chiffrement`` means losing
every contact detail, losing ``cle_messages`` every message of a conversation.
"""

import base64
import os
import secrets
import sys
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_RANDOM_KEYS = (
    "gateway/cle_empreinte",
    "annonces/cle_messages",
    "notifications/cle_chiffrement",
    "notifications/cle_liens",
    "sms/sms_http_cle",
    "sms/sms_http_secret",
)
# Signers of internal tokens: folder of the private key → file name of the public key.
_SIGNERS = {
    "gateway": "jeton_cle_publique",
    "annonces": "jeton_cle_publique_annonces",
    "notifications": "jeton_cle_publique_notifications",
}
_SMPP = "sms/smpp_mot_de_passe"
_VAPID = "notifications/cle_vapid"


def make(folder: Path) -> list[str]:
    """Creates what is missing below ``folder`` (folders 700, files 600). Returns the names of the new secrets."""
    made: list[str] = []
    for signer, public_name in _SIGNERS.items():
        made += _make_pair(folder, f"{signer}/jeton_cle_privee", f"commun/{public_name}")
    if not (folder / _VAPID).exists():
        # If it is lost, every browser must subscribe again.
        write(folder / _VAPID, _pem_private(ec.generate_private_key(ec.SECP256R1())))
        made.append(_VAPID)
    for name in _RANDOM_KEYS:
        if not (folder / name).exists():
            write(folder / name, random_key().encode())
            made.append(name)
    if not (folder / _SMPP).exists():
        # URL-safe because it is part of a URL.
        write(folder / _SMPP, secrets.token_urlsafe(6).encode())
        made.append(_SMPP)
    return made


def _make_pair(folder: Path, private_name: str, public_name: str) -> list[str]:
    """Creates an Ed25519 pair, or only its public half. Returns the names of the new files."""
    made = []
    private_path, public_path = folder / private_name, folder / public_name
    if not private_path.exists():
        write(private_path, _pem_private(Ed25519PrivateKey.generate()))
        made.append(private_name)
        public_path.unlink(missing_ok=True)
    if not public_path.exists():
        key = serialization.load_pem_private_key(private_path.read_bytes(), password=None)
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        write(public_path, public)
        made.append(public_name)
    return made


def random_key() -> str:
    """32 bytes as URL-safe base64."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def _pem_private(key: Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def write(path: Path, content: bytes) -> None:
    """Writes the file completely or not at all: a crash must not leave a partial key that looks valid."""
    for parent in (path.parent.parent, path.parent):
        parent.mkdir(parents=True, exist_ok=True)
        parent.chmod(0o700)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    fresh.replace(path)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Usage : python -m deploy.stack.secrets DOSSIER")
    for name in make(Path(sys.argv[1])):
        print(name)
