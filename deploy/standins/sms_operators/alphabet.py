"""The alphabets of SMS: GSM 7-bit (3GPP TS 23.038), latin-1 and UCS-2, as octets of an SMPP short_message. Pure.

The table of GSM 7-bit is that of the library gsm0338, and the one in notifications is our own: a wrong character in
one of them shows as soon as the two talk to each other.
"""

import codecs
from typing import Final

from gsm0338 import Codec
from gsm0338.charset import BASIC_CHARACTER_SET_EXTENSION

_GSM: Final = Codec()
_ESCAPE = 0x1B
_BASE = [bytes([code]) for code in range(0x80) if code != _ESCAPE]
_EXTENSION = [bytes([_ESCAPE, code]) for code in BASIC_CHARACTER_SET_EXTENSION]
_OCTETS: dict[str, bytes] = {_GSM.decode(octets)[0]: octets for octets in (*_BASE, *_EXTENSION)}

# data_coding (SMPP 3.4, 5.2.19).
GSM, ASCII, LATIN_1, UCS_2 = 0, 1, 3, 8
# Size of a single SMS, and of each part of a longer one (3GPP TS 23.040): septets, or octets for UCS-2.
_SEULE = {GSM: 160, UCS_2: 140}
_PARTIE = {GSM: 153, UCS_2: 134}


class AlphabetInconnu(ValueError):
    """The data_coding does not stand for text."""


def decoder(octets: bytes, codage: int) -> str:
    """Decodes the text. Undefined characters become U+FFFD. Raises AlphabetInconnu."""
    match codage if codage < 0x10 else _de_classe(codage):
        case 0:
            return _gsm(octets)
        case 1 | 3:
            return octets.decode("latin-1")
        case 8:
            return octets.decode("utf-16-be", "replace")
        case _:
            raise AlphabetInconnu(f"data_coding {codage} n’est pas du texte")


def _de_classe(codage: int) -> int | None:
    """The alphabet of a data_coding with a message class (3GPP TS 23.038, 4): 0x10 to 0x1B, 0xF0 to 0xF3. None for
    binary or compressed data."""
    if 0xF0 <= codage <= 0xF3:
        return GSM
    return {0: GSM, 2: UCS_2}.get((codage >> 2) & 3) if 0x10 <= codage <= 0x1F else None


def encoder(texte: str) -> tuple[int, list[bytes]]:
    """Returns (data_coding, octets of each part): GSM 7-bit if it has every character, else UCS-2. At least one part.

    A character is never cut: neither an escaped one of GSM 7-bit nor one of two UCS-2 units.
    """
    codage = GSM if all(character in _OCTETS for character in texte) else UCS_2
    if codage == GSM:
        unites = [_OCTETS[character] for character in texte]
    else:
        unites = [character.encode("utf-16-be", "replace") for character in texte]
    whole = b"".join(unites)
    if len(whole) <= _SEULE[codage]:
        return codage, [whole]
    parts = [b""]
    for unite in unites:
        if len(parts[-1]) + len(unite) > _PARTIE[codage]:
            parts.append(b"")
        parts[-1] += unite
    return codage, parts


def _gsm(octets: bytes) -> str:
    text: str = _GSM.decode(octets, _UNKNOWN)[0]
    return text


def _show_unknown(error: UnicodeError) -> tuple[str, int]:
    """What a phone shows for octets that are in no table: of an unknown extension the base character (TS 23.038,
    6.2.1.1), else U+FFFD."""
    assert isinstance(error, UnicodeDecodeError)
    last = error.object[error.end - 1]
    known = error.end - error.start == 2 and last < 0x80 and last != _ESCAPE
    return (_GSM.decode(bytes([last]))[0] if known else "\ufffd"), error.end


_UNKNOWN = "gsm0338_unknown"
codecs.register_error(_UNKNOWN, _show_unknown)
