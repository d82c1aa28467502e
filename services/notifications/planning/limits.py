"""How many messages one person gets: a handful at once, then what is over waits for one that counts it. Pure.

Alerts and digests have a budget of their own (plan.py); codes are limited where they are asked for; what
answers an SMS is limited where the SMS is received. All others are here, whatever has caused them: somebody else may
answer and withdraw a hundred times.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contracts.commun import PARIS
from services.notifications.domain import Genre
from services.notifications.messages.wording import NBSP

LIBRES = 5
"""Messages that somebody gets one by one in FENETRE."""
FENETRE = dt.timedelta(hours=1)
PREMIERE_ATTENTE = dt.timedelta(minutes=5)
"""How long what is over waits for its companions; where one that counts has left in FENETRE already: FENETRE."""
MONTREES = 15
"""Lines of one that counts; of the others it says how many there are."""

LIBELLES: Mapping[Genre, tuple[str, str]] = {
    Genre.ANNONCE_PUBLIEE: ("annonce mise en ligne", "annonces mises en ligne"),
    Genre.ANNONCE_A_CORRIGER: ("annonce à corriger", "annonces à corriger"),
    Genre.ANNONCE_REFUSEE: ("annonce refusée", "annonces refusées"),
    Genre.ANNONCE_RETIREE: ("annonce retirée", "annonces retirées"),
    Genre.ASSOCIATION_VALIDEE: ("association validée", "associations validées"),
    Genre.ASSOCIATION_A_CORRIGER: ("inscription à corriger", "inscriptions à corriger"),
    Genre.ASSOCIATION_REFUSEE: ("inscription refusée", "inscriptions refusées"),
    Genre.ASSOCIATION_RETIREE: ("association retirée", "associations retirées"),
    Genre.REPONSE_RECUE: ("proposition d’aide", "propositions d’aide"),
    Genre.REPONSE_ACCEPTEE: ("aide acceptée", "aides acceptées"),
    Genre.REPONSE_DECLINEE: ("aide non retenue", "aides non retenues"),
    Genre.REPONSE_ANNULEE: ("proposition annulée", "propositions annulées"),
    Genre.REPONSE_NOTEE: ("aide notée", "aides notées"),
    Genre.REPONSE_EN_ATTENTE: ("mise en liste d’attente", "mises en liste d’attente"),
    Genre.REPONSE_PROMUE: ("place libre pour vous", "places libres pour vous"),
    Genre.REPONSE_SANS_EFFET: ("message sans effet", "messages sans effet"),
    Genre.BESOIN_RETIRE: ("besoin retiré", "besoins retirés"),
    Genre.RAPPEL: ("rappel", "rappels"),
    Genre.MESSAGE_RECU: ("message", "messages"),
}
"""The messages that are limited, and what one and several of them are called."""
_REPONSES = frozenset({Genre.REPONSE_RECUE, Genre.REPONSE_ANNULEE})


@dataclass(frozen=True)
class Passe:
    """What somebody was written in FENETRE. `seuls`: messages one by one; `comptes`: whether one that counts has left.
    `attendu_at`: when the next one that counts is due, if messages wait for it already."""

    seuls: int
    comptes: bool
    attendu_at: dt.datetime | None


def attente(passe: Passe, now: dt.datetime) -> dt.datetime | None:
    """Until when a further message waits to be counted with others; None: it leaves by itself. Where some wait already
    it joins them, so that nothing overtakes what happened before."""
    if passe.attendu_at is not None:
        return passe.attendu_at
    if passe.seuls < LIBRES:
        return None
    return now + (FENETRE if passe.comptes else PREMIERE_ATTENTE)


def compter(lignes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The content of the message that stands for these rows: « 12 réponses depuis 14 h 02 », then a line for each title
    and sort of news, in the order in which they came first. `lignes`: rows of the ledger, at least one."""
    nombres: dict[tuple[str, Genre], int] = {}
    for ligne in sorted(lignes, key=lambda ligne: ligne["cree_at"]):
        cle = ligne.get("titre", ""), Genre(ligne["genre"])
        nombres[cle] = nombres.get(cle, 0) + 1
    quoi = ("réponse", "réponses") if {genre for _, genre in nombres} <= _REPONSES else ("nouvelle", "nouvelles")
    depuis = min(ligne["cree_at"] for ligne in lignes).astimezone(PARIS)
    nouvelles = [
        {"titre": titre, "quoi": _nombre(combien, LIBELLES[genre])} for (titre, genre), combien in nombres.items()
    ]
    return {
        "titre": f"{_nombre(len(lignes), quoi)} depuis {depuis.hour}{NBSP}h{NBSP}{depuis:%M}",
        "nouvelles": nouvelles[:MONTREES],
        "autres": len(nouvelles[MONTREES:]),
    }


def _nombre(combien: int, noms: tuple[str, str]) -> str:
    return f"{combien} {noms[combien > 1]}"
