"""The phrases of the grammar, written as patterns and kept as tuples of words. Pure.

A pattern is a line of slots separated by spaces. A slot is a word or several alternatives ("viens|vient"); in square
brackets it may be left out ("[toujours|bien]"); "_" joins the words of one alternative ("pas_de"). "{jour}" stands for
the alternatives that `listes` gives for this name. So "[je|j] viens [avec_plaisir]" is six phrases.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from itertools import product

Phrase = tuple[str, ...]

_REPETITION = re.compile(r"(.)\1+")


class Sorte(Enum):
    """What a phrase contributes to a message."""

    OUI = "says yes"
    ACCORD = "says yes, unless it only thanks or takes leave: « ok merci » acknowledges"
    CONFIRMATION = "says yes, unless a day comes with it: « je confirme demain » is for later"
    POUCE = "a raised thumb: an ACCORD, except beside words that say no"
    NON = "says no"
    POUCE_BAS = "says no, in an emoji"
    AVEC_OUI = "goes with a yes only"
    AVEC_NON = "goes with a no only"
    LIAISON = "joins the parts of a no"
    MERCI = "thanks, praise, farewell"
    NEUTRE = "a greeting, or words that say nothing of their own"
    JOUR = "when, by the day"
    HEURE = "when, by the hour"
    QUANTITE = "how many"
    EN_PLUS = "who comes along: one person more than the number says"
    NOMBRE = "a number on its own: how many, if it stands beside the answer"
    CODE = "the code of an alert"


def ecraser(mot: str) -> str:
    """The word with each letter once where it is repeated: « ouiii » and « dacord » are what they are meant to be."""
    return mot if mot.startswith("#") or mot.isdecimal() else _REPETITION.sub(r"\1", mot)


def _mots(alternative: str, abreges: Mapping[str, str]) -> Phrase:
    return tuple(ecraser(mot) for brut in alternative.split("_") for mot in abreges.get(brut, brut).split())


def deplier(motif: str, listes: Mapping[str, str], abreges: Mapping[str, str]) -> Iterator[Phrase]:
    """Every phrase of one pattern, its words written out."""
    choix = []
    for case in motif.format_map(listes).split():
        facultative = case.startswith("[")
        possibles = [_mots(alternative, abreges) for alternative in case.strip("[]").split("|")]
        choix.append([*possibles, ()] if facultative else possibles)
    for parties in product(*choix):
        phrase = tuple(mot for partie in parties for mot in partie)
        if phrase:
            yield phrase


class Lexique:
    """All phrases, each of one kind. Raises ValueError when two kinds claim the same phrase.

    `abreges`: how a word is written out, here and in a message.
    """

    def __init__(self, motifs: Mapping[Sorte, str], listes: Mapping[str, str], abreges: Mapping[str, str]) -> None:
        self.abreges = abreges
        self._sortes: dict[Phrase, Sorte] = {}
        for sorte, lignes in motifs.items():
            for ligne in filter(None, map(str.strip, lignes.splitlines())):
                for phrase in deplier(ligne, listes, abreges):
                    if self._sortes.setdefault(phrase, sorte) is not sorte:
                        raise ValueError(f"{' '.join(phrase)!r} is both {sorte} and {self._sortes[phrase]}")
        self.mots = frozenset(mot for phrase in self._sortes for mot in phrase)
        self._longueur = max(map(len, self._sortes))

    def __iter__(self) -> Iterator[tuple[Phrase, Sorte]]:
        return iter(self._sortes.items())

    def decouper(self, mots: Iterable[str]) -> list[tuple[Sorte, int]] | None:
        """The words as phrases, the longest first: (kind, number of words) of each. None when a word is left over."""
        reste = tuple(mots)
        trouvees = []
        while reste:
            longueurs = range(min(self._longueur, len(reste)), 0, -1)
            longueur = next((n for n in longueurs if reste[:n] in self._sortes), 0)
            if not longueur:
                return None
            trouvees.append((self._sortes[reste[:longueur]], longueur))
            reste = reste[longueur:]
        return trouvees
