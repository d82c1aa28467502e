"""Cryptography of Web Push: encryption for one browser (RFC 8291, encoded as in RFC 8188), and the signature that
identifies us to its push service (VAPID, RFC 8292)."""

import base64
import os
import re
import time
from collections.abc import Callable

from cachetools import TTLCache
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from joserfc import jwt
from joserfc.jwk import ECKey

_ENREGISTREMENT = 4096
"""Body size in bytes that every push service accepts (RFC 8291 §4). One message is one record."""

CONTENU_MAX = 3993
"""Maximum size of a message: a record without its header (86 bytes), end marker (1) and authentication tag (16)."""

_CLAIR_FINI = b"\x02"
"""Added after the text of the last record (RFC 8188 §2)."""

# RFC 8292 allows 24 h; half of that tolerates wrong clocks. Renewed an hour earlier.
_JETON_S = 12 * 3600
_JETON_MARGE_S = 3600
_JETONS_MAX = 256

_CONTACT = re.compile(r"mailto:[^@\s]+@[^@\s]+|https://\S+")


def chiffrer(
    contenu: bytes,
    point: bytes,
    secret: bytes,
    *,
    cle: ec.EllipticCurvePrivateKey | None = None,
    sel: bytes | None = None,
) -> bytes:
    """The body of a push message. `point` (65 bytes) and `secret` (16 bytes) are those of the subscription.

    `cle` and `sel` (16 bytes) are random for each message; only tests pass them. Raises ValueError when `point` is not
    on P-256, or `contenu` is empty or longer than CONTENU_MAX.
    """
    if not 0 < len(contenu) <= CONTENU_MAX:
        raise ValueError(f"a push message has 1 to {CONTENU_MAX} bytes")
    navigateur = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    cle = cle or ec.generate_private_key(ec.SECP256R1())
    sel = sel or os.urandom(16)
    notre_point = _point(cle)
    partage = _derivee(cle.exchange(ec.ECDH(), navigateur), secret, b"WebPush: info\0" + point + notre_point, 32)
    cle_du_contenu = _derivee(partage, sel, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derivee(partage, sel, b"Content-Encoding: nonce\0", 12)
    entete = sel + _ENREGISTREMENT.to_bytes(4, "big") + bytes([len(notre_point)]) + notre_point
    return entete + AESGCM(cle_du_contenu).encrypt(nonce, contenu + _CLAIR_FINI, None)


def _derivee(matiere: bytes, sel: bytes, info: bytes, octets: int) -> bytes:
    return HKDF(SHA256(), octets, sel, info).derive(matiere)


def _point(cle: ec.EllipticCurvePrivateKey) -> bytes:
    return cle.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def cle_publique(cle_privee: str) -> str:
    """The applicationServerKey for browsers: the public key as base64url. Raises ValueError."""
    return base64.urlsafe_b64encode(_point(_cle(cle_privee))).rstrip(b"=").decode()


def _cle(pem: str) -> ec.EllipticCurvePrivateKey:
    try:
        cle = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError) as error:
        raise ValueError("the VAPID key must be an unencrypted private key in PEM") from error
    if not isinstance(cle, ec.EllipticCurvePrivateKey) or not isinstance(cle.curve, ec.SECP256R1):
        raise ValueError("the VAPID key must be an EC key on P-256")
    return cle


class Signature:
    """The Authorization header for each push service; a token is used for hours.

    `cle_privee`: PEM of an EC key on P-256. `contact`: mailto:… or https://…, for the push services in case of
    problems. Raises ValueError for a key or contact that push services would refuse.
    """

    def __init__(self, cle_privee: str, contact: str, horloge: Callable[[], float] = time.time) -> None:
        if not _CONTACT.fullmatch(contact):
            raise ValueError("the VAPID contact must be mailto:somebody@domain or https://…")
        self._publique = cle_publique(cle_privee)
        self._cle = ECKey.import_key(cle_privee)
        self._contact = contact
        self._horloge = horloge
        # The header for `origine`: scheme, host and port of the push service.
        self._jetons: TTLCache[str, str] = TTLCache(_JETONS_MAX, _JETON_S - _JETON_MARGE_S, horloge)

    def pour(self, origine: str) -> str:
        """Bounds the memory: anybody can invent names below notify.windows.com."""
        jeton = self._jetons.get(origine)
        if jeton is None:
            claims = {"aud": origine, "exp": int(self._horloge()) + _JETON_S, "sub": self._contact}
            jeton = self._jetons[origine] = jwt.encode({"typ": "JWT", "alg": "ES256"}, claims, self._cle)
        return f"vapid t={jeton},k={self._publique}"
