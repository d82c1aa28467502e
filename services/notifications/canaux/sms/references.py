"""Spellings of a provider's message id. Pure.

Many SMSCs return a hexadecimal number and use the same number in decimal in receipts, or the reverse, or change the
case, or add leading zeros.
"""

import re

_CHIFFRES = 20
"""Maximum number of digits of a numeric id, with leading zeros."""
_DECIMAL = re.compile(rf"[0-9]{{1,{_CHIFFRES}}}")
_HEXADECIMAL = re.compile(r"[0-9A-Fa-f]{1,16}")


def formes(reference: str) -> list[str]:
    """The other spellings of a reference."""
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
