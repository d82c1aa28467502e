"""Dates, places and numbers as people read them: the same words in a mail, an SMS and a notification. Pure."""

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

from babel.dates import format_date

from contracts import references
from contracts.annonces import RaisonSansEffet

NBSP = "\N{NO-BREAK SPACE}"

REPERE_DE_REPONSE = "Pour répondre, écrivez au-dessus de cette ligne"
"""Stands at the top of mails that may be answered: what is quoted from there on is cut off when it comes back."""

_SANS_EFFET: Mapping[str, str] = {
    RaisonSansEffet.DEJA_REPONDU: "vous aviez déjà répondu",
    RaisonSansEffet.SA_PROPRE_ANNONCE: "cette annonce est la vôtre",
    RaisonSansEffet.INCONNUE: "nous ne connaissons pas cette annonce",
    RaisonSansEffet.PAS_PUBLIEE: "cette annonce n’est pas en ligne en ce moment",
    RaisonSansEffet.RETIREE: "cette annonce a été retirée",
    RaisonSansEffet.EXPIREE: "la date de cette annonce est passée",
    RaisonSansEffet.TROP_DE_PLACES: "cette annonce demande moins que cela",
    RaisonSansEffet.DEJA_DECLINE: "l’auteur de cette annonce a déjà décliné vos propositions",
    RaisonSansEffet.AUCUNE_REPONSE: "vous n’aviez pas répondu à cette annonce",
}


def une_ligne(texte: str) -> str:
    """Without line breaks nor control characters."""
    return re.sub(r"[\s\x00-\x1f\x7f\x85\u2028\u2029]+", " ", texte).strip()


@lru_cache(maxsize=1024)
def jour(valeur: str) -> str:
    """« samedi 28 novembre 2026 » for an ISO date."""
    return format_date(dt.date.fromisoformat(valeur), "EEEE d MMMM y", locale="fr")


def jour_court(valeur: str) -> str:
    """« sam. 28/11 »: the year is near, and an SMS is short."""
    date = dt.date.fromisoformat(valeur)
    return f"{format_date(date, 'EEE', locale='fr')} {date:%d/%m}"


def periode(debut: str | None, fin: str | None) -> str:
    """« samedi 28 novembre 2026 », « du … au … », or nothing."""
    if not debut:
        return ""
    return f"du {jour(debut)} au {jour(fin)}" if fin and fin != debut else jour(debut)


def periode_courte(debut: str | None, fin: str | None) -> str:
    if not debut:
        return ""
    return f"{jour_court(debut)} - {jour_court(fin)}" if fin and fin != debut else jour_court(debut)


def court(code: str, liste: str) -> str:
    valeurs = references.categories() if liste == "categories" else references.valeurs(liste)  # type: ignore[arg-type]  # templates name lists as text; a wrong one fails at compile time
    return valeurs[code].dans_une_phrase if code in valeurs else code.replace("-", " ")


def courts(codes: Iterable[str], liste: str) -> str:
    return ", ".join(court(code, liste) for code in codes)


def endroit(lieu: Mapping[str, Any], a_distance: bool) -> str:
    """« à distance », the quartier, or nothing."""
    if a_distance:
        return "à distance"
    return court(lieu["quartier"], "quartiers") if lieu["quartier"] else ""


def quand_et_ou(circonstances: Mapping[str, Any]) -> str:
    """« samedi 5 décembre 2026, samedi matin, Fives »: days, slots and place, those that there are."""
    c = circonstances
    morceaux = (periode(c["date_debut"], c["date_fin"]), courts(c["creneaux"], "creneaux"))
    return ", ".join(m for m in (*morceaux, endroit(c["lieu"], c["a_distance"])) if m)


def entre_parentheses(quantite: int) -> str:
    """What follows a title when more than one is meant."""
    return f" (quantité{NBSP}: {quantite})" if quantite > 1 else ""


def rang(place: int | None, quantite: int, places: int | None) -> str:
    """« place 3 sur 5 », « places 3 à 5 sur 8 »: `place` is the last of `quantite` ones. Unknown: « une place »."""
    if place is None:
        return "une place" if quantite == 1 else f"{quantite} places"
    lesquelles = f"place {place}" if quantite == 1 else f"places {place - quantite + 1} à {place}"
    return f"{lesquelles} sur {places}" if places else lesquelles


def sur_demande(quantite: int, demandee: int | None) -> str:
    """What is added when fewer were left than somebody offered."""
    return f" (sur {demandee} proposées, il n’en restait pas plus)" if demandee and demandee > quantite else ""


def au_rang(numero: int | None) -> str:
    return f", numéro {numero}" if numero else ""


def raison_sans_effet(code: str, place: int | None, places: int | None, numero: int | None) -> str:
    """Why a message changed nothing; a code that is not known yet says the part that is certain."""
    if code == RaisonSansEffet.DEJA_REPONDU and (place or numero):
        tenue = rang(place, 1, places) if place else f"liste d’attente{au_rang(numero)}"
        return f"vous aviez déjà répondu ({tenue})"
    if code == RaisonSansEffet.TROP_DE_PLACES and places:
        return f"cette annonce ne demande que {places} place{'s' if places > 1 else ''}"
    return _SANS_EFFET.get(code, "cette annonce n’attend pas de réponse de votre part")


def presents(paires: Iterable[tuple[str, Any]]) -> list[tuple[str, Any]]:
    return [(nom, valeur) for nom, valeur in paires if valeur]


FILTRES: Mapping[str, Callable[..., Any]] = {
    f.__name__: f
    for f in (
        periode,
        courts,
        endroit,
        quand_et_ou,
        entre_parentheses,
        rang,
        sur_demande,
        au_rang,
        raison_sans_effet,
        presents,
    )
}
"""What templates may use, by name."""
