"""The id of a message as a provider writes it in its answer, and as it writes it again in its receipt. Pure.

Many SMSC answer a submit with a number in hexadecimal and send receipts with the same number in decimal, or the other
way round, in the other case, or with zeros before it.
"""

import re

_CHIFFRES = 20
"""An id that is a number has at most so many digits, zeros before it included."""
_DECIMAL = re.compile(rf"[0-9]{{1,{_CHIFFRES}}}")
_HEXADECIMAL = re.compile(r"[0-9A-Fa-f]{1,16}")


def formes(reference: str) -> list[str]:
    """The other spellings of a reference, without itself."""
    nu = reference.lstrip("0") or "0"
    bases = {nu, reference}
    if _DECIMAL.fullmatch(nu):
        bases.add(format(int(nu), "x"))
    if _HEXADECIMAL.fullmatch(nu):
        bases.add(str(int(nu, 16)))
    bases |= {base.lower() for base in bases} | {base.upper() for base in bases}
    remplies = {
        base.zfill(largeur)
        for base in bases
        if _HEXADECIMAL.fullmatch(base) or _DECIMAL.fullmatch(base)
        for largeur in range(len(base), _CHIFFRES + 1)
    }
    return sorted((bases | remplies) - {reference})
