"""Every message that is sent: its subject, its template, and whether somebody must have agreed to it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contracts import references
from contracts.moderation import Decision, Issue, Motif, TypeCible
from services.notifications.domain import Genre

_NBSP = "\N{NO-BREAK SPACE}"
_OBJET_MAX = 150


@dataclass(frozen=True)
class Message:
    """`objet` is a format string over the data of the message; `gabarit` names templates/<gabarit>.txt.j2 and .html.j2.

    `consentement`: an alert, which needs an opt-in and carries the unsubscribe headers. The others answer what somebody
    did themselves.
    """

    objet: str
    gabarit: str
    consentement: bool = False


MESSAGES: Mapping[Genre, Message] = {
    Genre.ALERTE: Message("{titre}", "alerte", consentement=True),
    Genre.CODE: Message("Votre code de connexion", "code"),
    Genre.ANNONCE_PUBLIEE: Message("Votre annonce est en ligne : {titre}", "decision_favorable"),
    Genre.ANNONCE_A_CORRIGER: Message("Votre annonce est à corriger : {titre}", "decision_motivee"),
    Genre.ANNONCE_REFUSEE: Message("Votre annonce est refusée : {titre}", "decision_motivee"),
    Genre.ANNONCE_RETIREE: Message("Votre annonce est retirée : {titre}", "decision_motivee"),
    Genre.ASSOCIATION_VALIDEE: Message("Votre association est validée : {titre}", "decision_favorable"),
    Genre.ASSOCIATION_A_CORRIGER: Message(
        "L’inscription de votre association est à corriger : {titre}", "decision_motivee"
    ),
    Genre.ASSOCIATION_REFUSEE: Message("L’inscription de votre association est refusée : {titre}", "decision_motivee"),
    Genre.ASSOCIATION_RETIREE: Message("Votre association est retirée de la plateforme : {titre}", "decision_motivee"),
    Genre.REPONSE_RECUE: Message("Quelqu’un peut vous aider : {titre}", "reponse_recue"),
    Genre.REPONSE_ACCEPTEE: Message("Votre aide est acceptée : {titre}", "reponse_acceptee"),
    Genre.REPONSE_DECLINEE: Message("Votre aide n’est pas retenue cette fois : {titre}", "reponse_declinee"),
    Genre.REPONSE_ANNULEE: Message("Une proposition d’aide est annulée : {titre}", "reponse_annulee"),
}

_DECISIONS: Mapping[tuple[TypeCible, Issue], Genre] = {
    (TypeCible.ANNONCE, Issue.APPROUVEE): Genre.ANNONCE_PUBLIEE,
    (TypeCible.ANNONCE, Issue.A_CORRIGER): Genre.ANNONCE_A_CORRIGER,
    (TypeCible.ANNONCE, Issue.REFUSEE): Genre.ANNONCE_REFUSEE,
    (TypeCible.ANNONCE, Issue.RETIREE): Genre.ANNONCE_RETIREE,
    (TypeCible.ASSOCIATION, Issue.APPROUVEE): Genre.ASSOCIATION_VALIDEE,
    (TypeCible.ASSOCIATION, Issue.A_CORRIGER): Genre.ASSOCIATION_A_CORRIGER,
    (TypeCible.ASSOCIATION, Issue.REFUSEE): Genre.ASSOCIATION_REFUSEE,
    (TypeCible.ASSOCIATION, Issue.RETIREE): Genre.ASSOCIATION_RETIREE,
}


def genre_de_decision(decision: Decision) -> Genre:
    return _DECISIONS[decision.cible_type, decision.issue]


def objet(genre: Genre, donnees: Mapping[str, Any]) -> str:
    """The subject on one line: whatever a title contains, it cannot start another header."""
    texte = MESSAGES[genre].objet.replace(" : ", f"{_NBSP}: ").format_map(_UneLigne(donnees))
    if genre is Genre.ALERTE and donnees["urgent"]:
        texte = f"Urgent{_NBSP}: {texte}"
    return texte if len(texte) <= _OBJET_MAX else texte[: _OBJET_MAX - 1].rstrip() + "…"


class _UneLigne(dict[str, Any]):
    def __init__(self, donnees: Mapping[str, Any]) -> None:
        super().__init__({nom: une_ligne(v) if isinstance(v, str) else v for nom, v in donnees.items()})


def une_ligne(texte: str) -> str:
    """Without line breaks nor control characters."""
    return re.sub(r"[\s\x00-\x1f\x7f\x85\u2028\u2029]+", " ", texte).strip()


def expliquer(motif: Motif) -> dict[str, str | None]:
    """What the author reads about one reason: what to change, and for values the commitment and the passage."""
    connu = references.motifs().get(motif.code)
    engagement = next((e for e in references.engagements().values() if e.numero == motif.engagement), None)
    return {
        "libelle": connu.libelle if connu else motif.code.replace("-", " "),
        "a_changer": connu.explication if connu and motif.code != "autre" else None,
        "explication": motif.explication or None,
        "engagement": f"{engagement.numero}. {engagement.libelle}" if engagement else None,
        "passage": motif.passage,
    }
