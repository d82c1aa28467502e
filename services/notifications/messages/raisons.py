"""Why somebody gets an alert, in plain French: « à 1,2 km de chez vous · samedi matin · véhicule ». Pure."""

from collections.abc import Iterable
from functools import lru_cache

from contracts import references
from contracts.matching import CodeRaison, Raison
from contracts.references import Liste

SEPARATEUR = " · "
_KM = 1000
_FIN = "\N{NO-BREAK SPACE}"

_LISTES: dict[CodeRaison, Liste] = {
    CodeRaison.CRENEAU: "creneaux",
    CodeRaison.DOMAINE: "domaines",
    CodeRaison.CERTIFICATION: "certifications",
}
_NATURES = {
    "benevolat": "bénévolat",
    "competence": "compétences",
    "materiel": "matériel",
    "logistique": "logistique",
}


def distance(metres: int) -> str:
    """« 350 m », « 1,2 km », « 12 km »: as exactly as somebody needs it."""
    if metres < 95:
        return f"moins de 100{_FIN}m"
    if metres < 975:
        return f"{round(metres / 50) * 50}{_FIN}m"
    if metres < 9_950:
        km = f"{metres / _KM:.1f}".removesuffix(".0").replace(".", ",")
        return f"{km}{_FIN}km"
    return f"{round(metres / _KM)}{_FIN}km"


def phrase(raisons: Iterable[Raison]) -> str:
    """All reasons on one line, in the order in which matching gives them."""
    return SEPARATEUR.join({_une(raison.code, raison.valeur): None for raison in raisons})


# A need of the whole city has thousands of people, and few reasons.
@lru_cache(maxsize=4096)
def _une(code: CodeRaison, brute: str) -> str:
    match code:
        case CodeRaison.DISTANCE:
            return f"à {distance(int(brute))} de chez vous"
        case CodeRaison.A_DISTANCE:
            return "à distance"
        case CodeRaison.URGENT:
            return "urgent"
        case CodeRaison.NATURE:
            return _NATURES.get(brute, _lisible(brute))
        case CodeRaison.CATEGORIE:
            valeur = references.categories().get(brute)
        case _:
            valeur = references.valeurs(_LISTES[code]).get(brute)
    return valeur.dans_une_phrase if valeur else _lisible(brute)


def _lisible(code: str) -> str:
    """A code that this version of the lists does not know yet: a newer service wrote it, and the alert must go out."""
    return code.replace("-", " ")
