"""Alphabet, size and parts of an SMS, and a cheaper spelling of the same text. Pure.

Alphabets: 3GPP TS 23.038 (GSM 03.38), 6.2.1 and 6.2.1.1; UCS-2 is sent as UTF-16, like phones do. A single part holds
160 septets or 70 units of 16 bits; each part of a longer SMS holds 153 or 67, because of the header that joins them.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

PARTIES_MAX = 255
"""The header counts parts in one byte."""

# The index is the code; 0x1B introduces an extension and is not a character.
_BASE = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_ECHAPPEMENT = 0x1B
_CODES: dict[str, bytes] = {c: bytes([code]) for code, c in enumerate(_BASE) if code != _ECHAPPEMENT}
_EXTENSION = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}
_CODES |= {c: bytes([_ECHAPPEMENT, code]) for code, c in _EXTENSION.items()}

# Removes the spaces inside French quotation marks: « mot » becomes "mot".
_GUILLEMETS = re.compile("«[ \u00a0\u202f]?|[ \u00a0\u202f]?»")
_NUMERO = re.compile("(?<=[nN])[°º]")
_EQUIVALENTS = {
    **dict.fromkeys("’‘‛′ʼ`´", "'"),
    **dict.fromkeys("“”„‟″", '"'),
    **dict.fromkeys("‹›", "'"),
    **dict.fromkeys("‐‑‒–—―−•·‣", "-"),
    **dict.fromkeys("\t\u00a0\u2002\u2003\u2007\u2008\u2009\u200a\u202f\u205f", " "),
    # Invisible characters: line break hints and text direction.
    **dict.fromkeys("\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff", ""),
    **{"…": "...", "×": "x", "œ": "oe", "Œ": "OE", "²": "2", "³": "3", "ł": "l", "Ł": "L", "→": "->", "\u2028": "\n"},
    **{"™": "(TM)", "©": "(c)", "®": "(R)"},
}
# Grave, acute, circumflex, tilde, diaeresis, ring, caron, cedilla: readers understand words without them. Other marks
# (Vietnamese horn and dot, Turkish breve) distinguish words, so texts with them are not changed.
_SIGNES = frozenset("\u0300\u0301\u0302\u0303\u0308\u030a\u030c\u0327")


class Codage(IntEnum):
    """The value is SMPP's data_coding."""

    GSM7 = 0
    UCS2 = 8


@dataclass(frozen=True)
class Decoupage:
    """A text cut into `parties`, whose concatenation is the text."""

    codage: Codage
    parties: tuple[str, ...]


_SEULE = {Codage.GSM7: 160, Codage.UCS2: 70}
_JOINTE = {Codage.GSM7: 153, Codage.UCS2: 67}


def codage(texte: str) -> Codage:
    return Codage.GSM7 if all(c in _CODES for c in texte) else Codage.UCS2


def poids(texte: str, choix: Codage) -> int:
    """In septets for GSM-7, in units of 16 bits for UCS-2."""
    return sum(_poids(c, choix) for c in texte)


def compter(texte: str) -> int:
    """Number of SMS to pay for this text. Raises ValueError beyond PARTIES_MAX."""
    return len(decouper(texte).parties)


def decouper(texte: str) -> Decoupage:
    """Cuts a text into parts without splitting a character. An empty text is one part. Raises ValueError beyond
    PARTIES_MAX."""
    texte = _sans_demi_caractere(texte)
    choix = codage(texte)
    if poids(texte, choix) <= _SEULE[choix]:
        return Decoupage(choix, (texte,))
    parties = tuple(_couper(texte, choix))
    if len(parties) > PARTIES_MAX:
        raise ValueError(f"an SMS has at most {PARTIES_MAX} parts")
    return Decoupage(choix, parties)


def alleger(texte: str) -> str:
    """The text in GSM-7, if it stays readable: « à l’hôtel » → "à l'hotel".

    Replaces only characters missing in GSM-7: é è ù à É Ç stay, ê ç À become e c A. A text that cannot become GSM-7
    completely (Arabic, an emoji) is returned unchanged, because a partial replacement would save nothing.
    """
    compose = unicodedata.normalize("NFC", texte)
    if codage(compose) is Codage.GSM7:
        return compose
    leger = _NUMERO.sub("o", _GUILLEMETS.sub('"', compose)).replace("°C", "C")
    leger = "".join(c if c in _CODES else _equivalent(c) for c in leger)
    return leger if codage(leger) is Codage.GSM7 else compose


def encoder(partie: str, choix: Codage) -> bytes:
    """The bytes of a part: one septet per byte (as in SMPP), or UTF-16 big endian."""
    if choix is Codage.GSM7:
        return b"".join(_CODES[c] for c in partie)
    return partie.encode("utf-16-be")


_AUTRES = {1: "ascii", 3: "latin-1", 5: "shift_jis", 6: "iso8859_5", 7: "iso8859_8", 8: "utf-16-be", 14: "euc_kr"}


def decoder(contenu: bytes, data_coding: int) -> str:
    """The text of an inbound SMS. Never raises: undecodable characters become �."""
    jeu = _jeu(data_coding)
    return _decoder_gsm7(contenu) if jeu is None else contenu.decode(jeu, errors="replace")


def _jeu(data_coding: int) -> str | None:
    """The character set of a data_coding; None for the default alphabet. Below 0x10 these are SMPP's values (3.4,
    5.2.19), above those of GSM (3GPP TS 23.038, 4), which also encode message classes and waiting indications."""
    if data_coding < 0x10:
        return None if data_coding == 0 else _AUTRES.get(data_coding, "latin-1")
    if data_coding < 0x80:
        return (None, "latin-1", "utf-16-be", "latin-1")[(data_coding >> 2) & 3]
    if 0xE0 <= data_coding < 0xF0:
        return "utf-16-be"
    if data_coding >= 0xF0:
        return "latin-1" if data_coding & 4 else None
    return None if data_coding >= 0xC0 else "latin-1"


def _decoder_gsm7(contenu: bytes) -> str:
    texte: list[str] = []
    codes = iter(contenu)
    for code in codes:
        if code == _ECHAPPEMENT:
            # 6.2.1.1: an unknown extension is shown as the character of the basic table.
            suite = next(codes, None)
            texte.append(" " if suite is None else _EXTENSION.get(suite, _BASE[suite] if suite < len(_BASE) else "�"))
        else:
            texte.append(_BASE[code] if code < len(_BASE) else "�")
    return "".join(texte).replace("\x1b", " ")


def _couper(texte: str, choix: Codage) -> Iterator[str]:
    debut, charge = 0, 0
    for fin, caractere in enumerate(texte):
        lourd = _poids(caractere, choix)
        if charge + lourd > _JOINTE[choix]:
            yield texte[debut:fin]
            debut, charge = fin, 0
        charge += lourd
    yield texte[debut:]


def _poids(caractere: str, choix: Codage) -> int:
    if choix is Codage.GSM7:
        return len(_CODES[caractere])
    return 2 if ord(caractere) > 0xFFFF else 1


def _equivalent(caractere: str) -> str:
    if caractere in _EQUIVALENTS:
        return _EQUIVALENTS[caractere]
    base, signes = (decompose := unicodedata.normalize("NFD", caractere))[0], decompose[1:]
    return base if base.isascii() and len(signes) == 1 and signes in _SIGNES else caractere


def _sans_demi_caractere(texte: str) -> str:
    """JSON may contain half a surrogate pair, which cannot be encoded."""
    return "".join("�" if "\ud800" <= c <= "\udfff" else c for c in texte)
