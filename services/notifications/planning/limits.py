"""Limits the number of messages to one person: the first ones are sent at once, further ones wait for one message that
counts them. Pure.

Not limited here: alerts and digests (plan.py has their budget), sign-in codes (limited where they are requested),
replies to SMS (limited where the SMS is received). Everything else is, whatever caused it: for example, somebody may
answer an annonce and cancel a hundred times.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contracts.commun import PARIS
from services.notifications.domain import Genre
from services.notifications.messages.wording import NBSP

LIBRES = 5
"""Messages sent one by one within FENETRE."""
MESSAGES_LIBRES = 20
"""The same for messages of conversations, in which people answer one another."""
FENETRE = dt.timedelta(hours=1)
PREMIERE_ATTENTE = dt.timedelta(minutes=5)
"""How long further messages are collected. If a counting message was sent within FENETRE already, the wait is FENETRE
instead."""
MONTREES = 15
"""Lines of a counting message; it gives the number of the others."""

LIBELLES: Mapping[Genre, tuple[str, str]] = {
    Genre.ANNONCE_PUBLIEE: ("annonce mise en ligne", "annonces mises en ligne"),
    Genre.ANNONCE_A_CORRIGER: ("annonce à corriger", "annonces à corriger"),
    Genre.ANNONCE_REFUSEE: ("annonce refusée", "annonces refusées"),
    Genre.ANNONCE_RETIREE: ("annonce retirée", "annonces retirées"),
    Genre.CORRECTION_PUBLIEE: ("correction mise en ligne", "corrections mises en ligne"),
    Genre.CORRECTION_A_CORRIGER: ("correction à revoir", "corrections à revoir"),
    Genre.CORRECTION_REFUSEE: ("correction refusée", "corrections refusées"),
    Genre.ASSOCIATION_VALIDEE: ("association validée", "associations validées"),
    Genre.ASSOCIATION_A_CORRIGER: ("inscription à corriger", "inscriptions à corriger"),
    Genre.ASSOCIATION_REFUSEE: ("inscription refusée", "inscriptions refusées"),
    Genre.ASSOCIATION_RETIREE: ("association retirée", "associations retirées"),
    Genre.REPONSE_RECUE: ("proposition d’aide", "propositions d’aide"),
    Genre.REPONSE_ACCEPTEE: ("aide acceptée", "aides acceptées"),
    Genre.REPONSE_DECLINEE: ("aide non retenue", "aides non retenues"),
    Genre.REPONSE_DECLINEE_MOT: ("aide non retenue", "aides non retenues"),
    Genre.PLACE_LIBEREE: ("place reprise", "places reprises"),
    Genre.REPONSE_ANNULEE: ("proposition annulée", "propositions annulées"),
    Genre.REPONSE_NOTEE: ("aide notée", "aides notées"),
    Genre.REPONSE_EN_ATTENTE: ("mise en liste d’attente", "mises en liste d’attente"),
    Genre.REPONSE_PROMUE: ("place libre pour vous", "places libres pour vous"),
    Genre.REPONSE_SANS_EFFET: ("message sans effet", "messages sans effet"),
    Genre.COURRIEL_NON_TRANSMIS: ("courriel non transmis", "courriels non transmis"),
    Genre.BESOIN_RETIRE: ("besoin retiré", "besoins retirés"),
    Genre.CIRCONSTANCES_CHANGEES: ("changement à confirmer", "changements à confirmer"),
    Genre.REPONSE_CONFIRMEE: ("confirmation notée", "confirmations notées"),
    Genre.RAPPEL: ("rappel", "rappels"),
    Genre.MESSAGE_RECU: ("message", "messages"),
}
"""The limited kinds of messages, with their names in singular and plural."""
_MESSAGES = frozenset({Genre.MESSAGE_RECU})
_REPONSES = frozenset({Genre.REPONSE_RECUE, Genre.REPONSE_ANNULEE})


def comptes_ensemble(genre: Genre) -> frozenset[Genre]:
    """The messages that share a limit with this one."""
    return _MESSAGES if genre in _MESSAGES else frozenset(LIBELLES) - _MESSAGES


def libres(genre: Genre) -> int:
    """How many of them leave one by one in FENETRE."""
    return MESSAGES_LIBRES if genre in _MESSAGES else LIBRES


@dataclass(frozen=True)
class MessagesRecents:
    """Messages to a person within FENETRE. `seuls`: number sent one by one, of the
    kinds that are counted together. `comptes`: a counting message was sent.
    `attendu_at`: when the next counting message is due, if messages wait for it."""

    seuls: int
    comptes: bool
    attendu_at: dt.datetime | None


def attente(genre: Genre, passe: MessagesRecents, now: dt.datetime) -> dt.datetime | None:
    """Until when the next message waits to be counted; None: it is sent at once. If others wait already it joins them,
    so that messages stay in order."""
    if passe.attendu_at is not None:
        return passe.attendu_at
    if passe.seuls < libres(genre):
        return None
    return now + (FENETRE if passe.comptes else PREMIERE_ATTENTE)


def compter(lignes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The data of the message that replaces these rows: "12 réponses depuis 14 h 02", then a line per title and kind,
    in order of first appearance. `lignes`: at least one row of the ledger."""
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
