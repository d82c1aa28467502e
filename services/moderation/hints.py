"""Hints for moderators, never decisions: passages of a text that deserve a second look, with their positions. Pure.

No rule looks at who is meant: religion, origin, sex, health, opinions. Lengths are counted in words, so that the same
sentence about another group gives the same hints.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Champ = Literal["titre", "description"]

MOTS_MIN = 12
"""A description with fewer words rarely says what, when and where."""


@dataclass(frozen=True)
class Indice:
    """`motif`: the reason to choose if the moderator agrees. `champ`, `debut`, `fin`: position; None for the whole
    text."""

    code: str
    libelle: str
    motif: str | None = None
    champ: Champ | None = None
    debut: int = 0
    fin: int = 0


# Every repetition is bounded or has a unique start, so that the time is linear in the length of the text.
_MOTIFS_DE_TEXTE: tuple[tuple[str, str, str, re.Pattern[str]], ...] = (
    (
        "adresse-electronique",
        "adresse électronique",
        "coordonnees-dans-le-texte",
        re.compile(
            r"(?<![\w.+-])[\w.+-]+\s?(?:@|\(at\)|\[at\]|\(arobase\)|\[arobase\])\s?[\w-]+(?:\.[\w-]+)+", re.IGNORECASE
        ),
    ),
    (
        "telephone",
        "numéro de téléphone",
        "coordonnees-dans-le-texte",
        re.compile(r"(?<![\d+])(?:(?:\+|00)\d{2,3}[\s.\-]?(?:\(0\)[\s.\-]?)?\d|0\d)(?:[\s.\-/]?\d{2}){4}(?!\d)"),
    ),
    (
        "lien",
        "lien vers un autre site",
        "coordonnees-dans-le-texte",
        re.compile(r"(?:https?://|www\.)[^\s<>«»\"]+", re.IGNORECASE),
    ),
    (
        "argent",
        "argent demandé ou promis",
        "hors-objet",
        re.compile(
            r"\d[\d\s.,]{0,20}\s?(?:€|euros?\b)|\b(?:IBAN|RIB|virement|paypal|western union|cagnotte|rémunér\w*"
            r"|salair\w*|frais d[’']inscription|carte bancaire)\b",
            re.IGNORECASE,
        ),
    ),
    ("insistance", "ponctuation insistante", "orthographe-lisibilite", re.compile(r"[!?]{3,}")),
)


def indices(titre: str, description: str, titres_recents: Iterable[str] = ()) -> list[Indice]:
    """All hints in the order of the text. `titres_recents`: titles of other annonces of the same author."""
    trouves = [*_dans("titre", titre), *_dans("description", description)]
    if len(description.split()) < MOTS_MIN:
        trouves.append(Indice("texte-court", "texte très court", "contenu-insuffisant"))
    cle = normaliser(titre)
    if any(normaliser(autre) == cle for autre in titres_recents):
        trouves.append(Indice("titre-deja-vu", "même titre qu’une annonce récente du même auteur", "deja-publiee"))
    return trouves


def _dans(champ: Champ, texte: str) -> list[Indice]:
    trouves: list[Indice] = []
    for code, libelle, motif, modele in _MOTIFS_DE_TEXTE:
        for trouve in modele.finditer(texte):
            fin = trouve.start() + len(trouve.group().rstrip(" .,;"))
            trouves.append(Indice(code, libelle, motif, champ, trouve.start(), fin))
    if _crie(texte):
        trouves.append(
            Indice("majuscules", "texte surtout en majuscules", "orthographe-lisibilite", champ, 0, len(texte))
        )
    return sorted(trouves, key=lambda indice: (indice.debut, -indice.fin))


def _crie(texte: str) -> bool:
    # Only words of four letters or more, because acronyms are shorter.
    mots = [mot for mot in re.findall(r"[^\W\d_]+", texte) if len(mot) >= 4]
    return len(mots) >= 3 and 2 * sum(mot.isupper() for mot in mots) > len(mots)


def normaliser(titre: str) -> str:
    """Lower case, without accents, punctuation and double spaces: titles that are equal after this are duplicates."""
    sans_accent = unicodedata.normalize("NFKD", titre.casefold())
    lettres = "".join(c if c.isalnum() else " " for c in sans_accent if not unicodedata.combining(c))
    return " ".join(lettres.split())
