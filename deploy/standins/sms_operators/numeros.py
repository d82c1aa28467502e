"""Formats of phone numbers used by operators. Pure."""

import re

_E164 = re.compile(r"\+[1-9][0-9]{5,14}")
INTERNATIONAL, ALPHANUMERIQUE = 1, 5  # type of number, SMPP 3.4, 5.2.5


def e164(numero: str, ton: int = INTERNATIONAL) -> str | None:
    """« 33612345678 », « +33612345678 » or, for a type other than international, « 0612345678 » → « +33612345678 »."""
    digits = numero.replace(" ", "")
    if ton != INTERNATIONAL and digits.startswith("00"):
        digits = digits[2:]
    elif ton != INTERNATIONAL and digits.startswith("0"):
        digits = "33" + digits[1:]
    written = digits if digits.startswith("+") else f"+{digits}"
    return written if _E164.fullmatch(written) else None


def adresse(nom: str) -> tuple[int, int, str]:
    """(type of number, numbering plan, address) of a sender or recipient, which may be a name."""
    if _E164.fullmatch(nom):
        return INTERNATIONAL, 1, nom[1:]
    return (0, 1, nom) if nom.isdecimal() else (ALPHANUMERIQUE, 0, nom)
