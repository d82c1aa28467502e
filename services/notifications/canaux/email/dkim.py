"""DKIM signatures (RFC 6376): mailbox providers then trust the sender and the unsubscribe link.

Uses `cryptography` instead of dkimpy, whose RSA is written in Python and about twenty times slower. For a mail of 20
KB, on a machine where `openssl speed` makes 1,100 RSA-2048 signatures per second: Ed25519 0.23 ms, RSA-1024 0.33 ms,
RSA-2048 1.0 ms, of which 0.17 ms are not the RSA operation. The tests verify the signatures with dkimpy.
"""

import base64
import hashlib
import re

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from services.notifications.canaux.email.lines import en_crlf

SIGNES = (
    "from",
    "to",
    "subject",
    "date",
    "message-id",
    "mime-version",
    "content-type",
    # RFC 8058 requires signatures over both; otherwise mailboxes ignore the one-click link.
    "list-unsubscribe",
    "list-unsubscribe-post",
    "list-id",
    "auto-submitted",
)
# Signed once more than they occur, so that adding a second From or Subject, which some mailboxes would show, breaks the
# signature.
_SCELLES = ("from", "to", "subject", "date")

_RSA_MIN = 1024
_LIGNE = 72
_ENTETE = re.compile(rb"(?m)^([!-9;-~]+)[ \t]*:([^\r\n]*(?:\r\n[ \t][^\r\n]*)*)\r\n")
_BLANCS = re.compile(rb"[ \t\r\n]+")
_NOM_DNS = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*")


class Signataire:
    """Signs as `domaine` with `selecteur`; the public key is in the TXT record `nom_dns`."""

    def __init__(self, cle: str, selecteur: str, domaine: str) -> None:
        """`cle`: private key, PEM without password, RSA (2,048 bits) or Ed25519; line breaks may be written as \\n.
        Ed25519 is faster, but some large providers verify only RSA. Raises ValueError."""
        if not _NOM_DNS.fullmatch(selecteur) or not _NOM_DNS.fullmatch(domaine):
            raise ValueError("SELECTEUR_DKIM and the sender's domain must be DNS names")
        self._cle = _lire_cle(cle)
        self.nom_dns = f"{selecteur}._domainkey.{domaine}"
        algorithme = "rsa-sha256" if isinstance(self._cle, RSAPrivateKey) else "ed25519-sha256"
        self._debut = f" v=1; a={algorithme}; c=relaxed/relaxed; d={domaine};\r\n\ts={selecteur}; h=".encode()

    def enregistrement(self) -> str:
        """Content of the TXT record `nom_dns`. DNS requires several strings if it is longer than 255 characters."""
        publique = self._cle.public_key()
        if isinstance(self._cle, RSAPrivateKey):
            genre, octets = "rsa", publique.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        else:
            genre, octets = "ed25519", publique.public_bytes(Encoding.Raw, PublicFormat.Raw)
        return f"v=DKIM1; k={genre}; p={base64.b64encode(octets).decode()}"

    def signer(self, message: bytes) -> bytes:
        """Returns the mail with its signature in front, and CRLF at the end of every line. Raises ValueError for a mail
        without From."""
        message = en_crlf(message)
        fin = message.find(b"\r\n\r\n")
        tete, corps = (message, b"") if fin < 0 else (message[: fin + 2], message[fin + 4 :])
        entetes = _entetes(tete)
        if "from" not in entetes:
            raise ValueError("a mail without From cannot be signed")
        noms: list[bytes] = []
        signes: list[bytes] = []
        for nom in SIGNES:
            # From the last occurrence upwards (RFC 6376, 5.4.2). A name listed once more than it occurs signs the
            # absence of another one.
            valeurs = entetes.get(nom, ())
            signes += [nom.encode() + b":" + valeur + b"\r\n" for valeur in reversed(valeurs)]
            noms += [nom.encode()] * (len(valeurs) + (nom in _SCELLES))
        empreinte = base64.b64encode(hashlib.sha256(_corps_relaxe(corps)).digest())
        valeur = self._debut + b":\r\n\t".join(_par_lignes(noms)) + b";\r\n\tbh=" + empreinte + b";\r\n\tb="
        a_signer = b"".join(signes) + b"dkim-signature:" + _relaxe(valeur)
        signature = base64.b64encode(self._signer(a_signer))
        coupee = b"\r\n\t".join(signature[i : i + _LIGNE] for i in range(0, len(signature), _LIGNE))
        return b"DKIM-Signature:" + valeur + coupee + b"\r\n" + message

    def _signer(self, octets: bytes) -> bytes:
        if isinstance(self._cle, RSAPrivateKey):
            return self._cle.sign(octets, padding.PKCS1v15(), SHA256())
        # RFC 8463: the signature is over the digest.
        return self._cle.sign(hashlib.sha256(octets).digest())


def _lire_cle(cle: str) -> RSAPrivateKey | Ed25519PrivateKey:
    try:
        lue = load_pem_private_key(cle.replace("\\n", "\n").strip().encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # Without the cause, because a parser may quote the key.
        raise ValueError("CLE_DKIM must be a private key as PEM, without a password") from None
    if isinstance(lue, RSAPrivateKey):
        if lue.key_size < _RSA_MIN:
            raise ValueError(f"CLE_DKIM: an RSA key needs {_RSA_MIN} bits at least, better 2048 (RFC 8301)")
        return lue
    if isinstance(lue, Ed25519PrivateKey):
        return lue
    raise ValueError("CLE_DKIM must be an RSA or an Ed25519 key")


def _entetes(tete: bytes) -> dict[str, list[bytes]]:
    """Lower-case name → relaxed values in order, only for signed headers."""
    trouves: dict[str, list[bytes]] = {}
    for nom, valeur in _ENTETE.findall(tete):
        if (cle := nom.lower().decode("ascii")) in SIGNES:
            trouves.setdefault(cle, []).append(_relaxe(valeur))
    return trouves


def _relaxe(valeur: bytes) -> bytes:
    return _BLANCS.sub(b" ", valeur).strip(b" ")


def _corps_relaxe(corps: bytes) -> bytes:
    """RFC 6376, 3.4.4. Uses replace instead of regular expressions, because bodies are long and differ for each
    person."""
    corps = corps.replace(b"\t", b" ")
    while b"  " in corps:
        corps = corps.replace(b"  ", b" ")
    corps = corps.replace(b" \r\n", b"\r\n")
    corps = corps.rstrip(b"\r\n")
    return corps + b"\r\n" if corps else b""


def _par_lignes(noms: list[bytes]) -> list[bytes]:
    """Names joined by colons, folded into lines."""
    lignes = [noms[0]]
    for nom in noms[1:]:
        if len(lignes[-1]) + len(nom) < _LIGNE - 8:
            lignes[-1] += b":" + nom
        else:
            lignes.append(nom)
    return lignes
