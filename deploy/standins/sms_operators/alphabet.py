"""The alphabets of SMS: GSM 7-bit (3GPP TS 23.038), latin-1 and UCS-2, as octets of an SMPP short_message. Pure.

smpplib has no decoder, and its encoder cuts a text in the middle of an escaped character.
"""

_BASE = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = {
    0x0A: "\f", 0x14: "^", 0x28: "{", 0x29: "}", 0x2F: "\\", 0x3C: "[", 0x3D: "~", 0x3E: "]", 0x40: "|", 0x65: "€",
}  # fmt: skip
_ESCAPE = 0x1B
_OCTETS = {character: bytes([code]) for code, character in enumerate(_BASE) if code != _ESCAPE} | {
    character: bytes([_ESCAPE, code]) for code, character in _EXTENSION.items()
}

# data_coding (SMPP 3.4, 5.2.19).
GSM, ASCII, LATIN_1, UCS_2 = 0, 1, 3, 8
# Characters of one SMS, and of each part of a longer one (3GPP TS 23.040): septets, or octets for UCS-2.
_SEULE = {GSM: 160, UCS_2: 140}
_PARTIE = {GSM: 153, UCS_2: 134}


class AlphabetInconnu(ValueError):
    """A data_coding that is no text."""


def decoder(octets: bytes, codage: int) -> str:
    """The text. What no alphabet has becomes U+FFFD. Raises AlphabetInconnu."""
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
    """The alphabet of a message with a class (3GPP TS 23.038, 4): 0x10 to 0x1B, 0xF0 to 0xF3. None for octets that are
    data, or compressed."""
    if 0xF0 <= codage <= 0xF3:
        return GSM
    return {0: GSM, 2: UCS_2}.get((codage >> 2) & 3) if 0x10 <= codage <= 0x1F else None


def encoder(texte: str) -> tuple[int, list[bytes]]:
    """(data_coding, the octets of each part): GSM 7-bit when it has every character, else UCS-2. At least one part.

    A character is never cut: neither one that is escaped in GSM 7-bit nor one that takes two units of UCS-2.
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
    characters, escaped = [], False
    for octet in octets:
        if escaped:
            # An unknown extension is shown as the base character (TS 23.038, 6.2.1.1).
            characters.append(_EXTENSION.get(octet) or _base(octet))
            escaped = False
        elif octet == _ESCAPE:
            escaped = True
        else:
            characters.append(_base(octet))
    return "".join(characters)


def _base(octet: int) -> str:
    return _BASE[octet] if octet < len(_BASE) and octet != _ESCAPE else "\ufffd"
