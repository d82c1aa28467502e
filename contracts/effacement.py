"""What events may still say once a person has asked for erasure, or the annonce that they wrote is erased. Pure.

Both functions take the body of an event as JSON and return what may still be published of it; None: nothing.
"""

from typing import Any

from contracts.comptes import EtatCompte

COMPTE_EFFACE = "efface"
"""Stands for an account that was erased."""
TEXTE_EFFACE = "Texte effacé à la demande de son auteur"
"""Stands for the words of a citizen who asked for erasure."""

Corps = dict[str, Any]

_DE_LA_PERSONNE = ("compte", "profil")
_DE_L_ANNONCE = ("annonce", "decision")


def sans_compte(corps: Corps, compte_id: str) -> Corps | None:
    """What is about the account itself, and what it asked for, is no longer said; elsewhere its id gives way.

    The erasure of the account is still said: readers that have not heard of it must.
    """
    compte = corps.get("compte")
    if compte is not None and compte["etat"] == EtatCompte.EFFACE:
        return corps
    siens = [corps[nom].get("compte_id") for nom in _DE_LA_PERSONNE if nom in corps]
    if compte_id in (corps.get("compte_id"), *siens):
        return None
    reste: Corps = _sans_id(corps, compte_id)
    return reste


def sans_annonce(corps: Corps, annonce_id: str) -> Corps | None:
    """What carries the words of the annonce is no longer said: that it is erased says all that is left of it. Answers
    to it are still said, without its title."""
    if any(nom in corps for nom in _DE_L_ANNONCE):
        return None
    return _sans_titre(corps)


def _sans_id(valeur: Any, compte_id: str) -> Any:
    """Lists lose what is about the account; elsewhere COMPTE_EFFACE stands for it."""
    if isinstance(valeur, dict):
        return {nom: _sans_id(une, compte_id) for nom, une in valeur.items()}
    if isinstance(valeur, list):
        return [_sans_id(une, compte_id) for une in valeur if not _le_designe(une, compte_id)]
    return COMPTE_EFFACE if valeur == compte_id else valeur


def _le_designe(valeur: Any, compte_id: str) -> bool:
    return bool((valeur.get("compte_id") if isinstance(valeur, dict) else valeur) == compte_id)


def _sans_titre(corps: Corps) -> Corps:
    reste = dict(corps)
    if corps.get("annonce_titre") is not None:
        reste["annonce_titre"] = TEXTE_EFFACE
    if corps.get("reponse") is not None:
        reste["reponse"] = _sans_titre(corps["reponse"])
    return reste
