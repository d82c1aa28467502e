"""Writes the envelope of a mail for a relay."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from services.notifications.canaux.base import Colis, Permanent
from services.notifications.canaux.email.lines import en_crlf, transparents

# Refuses characters that could end the command early; the rest of the address was checked when it was stored.
_ADRESSE = re.compile(r"[^\x00-\x20\x7f<>\ud800-\udfff]+@[^\x00-\x20\x7f<>@\ud800-\udfff]+")
_ADRESSE_MAX = 254
_ENVID = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True)
class ServerCapabilities:
    """What a relay announced. `taille`: maximum message size in bytes, 0 if unspecified; None without SIZE."""

    pipelining: bool = False
    huit_bits: bool = False
    utf8: bool = False
    dsn: bool = False
    taille: int | None = None

    @classmethod
    def lire(cls, extensions: Mapping[str, str]) -> "ServerCapabilities":
        """`extensions`: lower-case keyword → parameters, from EHLO."""
        taille = extensions.get("size")
        if taille is not None:
            octets = int(taille) if len(taille) < 19 and taille.isascii() and taille.isdigit() else 0
        return cls(
            "pipelining" in extensions,
            "8bitmime" in extensions,
            "smtputf8" in extensions,
            "dsn" in extensions,
            None if taille is None else octets,
        )


@dataclass(frozen=True)
class Envelope:
    """The two commands, and the content that follows DATA."""

    mail: bytes
    rcpt: bytes
    contenu: bytes


def plier(colis: Colis, expediteur: str, offre: ServerCapabilities) -> Envelope:
    """Raises Permanent when this relay can never accept the message, TypeError for a content that is not a mail."""
    if not isinstance(colis.contenu, bytes):
        raise TypeError("an e-mail is bytes")
    if not _ADRESSE.fullmatch(colis.adresse) or len(colis.adresse.encode()) > _ADRESSE_MAX:
        raise Permanent("smtp adresse impossible")
    message = en_crlf(colis.contenu)
    options = _options(colis, message, expediteur, offre)
    return Envelope(
        f"MAIL FROM:<{expediteur}>{options}\r\n".encode(),
        f"RCPT TO:<{colis.adresse}>\r\n".encode(),
        transparents(message),
    )


def _options(colis: Colis, message: bytes, expediteur: str, offre: ServerCapabilities) -> str:
    options = ""
    if offre.taille is not None:
        if 0 < offre.taille < len(message):
            raise Permanent("smtp message trop grand")
        options = f" SIZE={len(message)}"
    if not message.isascii():
        if not offre.huit_bits:
            raise Permanent("smtp sans 8BITMIME")
        options += " BODY=8BITMIME"
    # UTF-8 headers require SMTPUTF8 too (RFC 6532).
    if not (colis.adresse.isascii() and expediteur.isascii() and message.partition(b"\r\n\r\n")[0].isascii()):
        if not offre.utf8:
            raise Permanent("smtp sans SMTPUTF8")
        options += " SMTPUTF8"
    if offre.dsn and _ENVID.fullmatch(colis.envoi_id):
        # A bounce then identifies the envoi without its Message-ID, and returns only headers.
        options += f" RET=HDRS ENVID={colis.envoi_id}"
    return options
