"""The codes by which the alerts of one person are told apart ("K7", "K72", "K7AF"). Pure.

A code is a letter of LETTRES, a digit 2-9, then at most two of SUITE. A digit always comes second, so that no French
word is a code; letters that stand for roads, buses, papers, flats or hours (A25, L5, A4, T3, 14 H30) begin none. SUITE
has no O, I, L, S, B, Z, U: whoever writes one of them meant 0, 1, 1, 5, 8, 2, V. Case does not count.
"""

import re

LETTRES = "FGJKPQRVWY"
CHIFFRES = "23456789"
SUITE = "0123456789ACDEFGHJKMNPQRTVWXY"
SOSIES = str.maketrans("OILSBZU", "011582V")
CODES = len(LETTRES) * len(CHIFFRES) * (1 + len(SUITE) + len(SUITE) ** 2)

_CODE = re.compile(f"[{LETTRES}][{CHIFFRES}][0-9A-Z]{{0,2}}")


def reference_code(n: int) -> str:
    """The code of the n-th annonce, shortest first. After CODES of them they come again: a code is looked for among the
    latest alerts of a person. Raises ValueError below 0."""
    if n < 0:
        raise ValueError("codes are counted from 0")
    n %= CODES
    longueur, debuts = 0, len(LETTRES) * len(CHIFFRES)
    while n >= debuts * len(SUITE) ** longueur:
        n -= debuts * len(SUITE) ** longueur
        longueur += 1
    # The first letter changes first: neighbours in time differ in what is seen most easily.
    n, lettre = divmod(n, len(LETTRES))
    n, chiffre = divmod(n, len(CHIFFRES))
    code = LETTRES[lettre] + CHIFFRES[chiffre]
    for _ in range(longueur):
        n, signe = divmod(n, len(SUITE))
        code += SUITE[signe]
    return code


def lire_reference(mot: str) -> str | None:
    """The code that a word is, as `reference_code` writes it; None when it is none."""
    code = mot.strip().upper()
    if not _CODE.fullmatch(code):
        return None
    code = code[:2] + code[2:].translate(SOSIES)
    return code if all(signe in SUITE for signe in code[2:]) else None
