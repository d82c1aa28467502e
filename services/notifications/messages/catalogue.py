"""Every message that is sent: its subject, its template, its channels, and what its content must hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contracts import references
from contracts.moderation import Decision, Issue, Motif, TypeCible
from contracts.notifications import Canal
from services.notifications.domain import Genre
from services.notifications.messages.calendar_file import Methode
from services.notifications.messages.wording import NBSP, une_ligne

_OBJET_MAX = 150
_PARTOUT = frozenset(Canal)
_COURRIEL = frozenset({Canal.EMAIL})
_COURRIEL_ET_PUSH = frozenset({Canal.EMAIL, Canal.PUSH})
_SMS = frozenset({Canal.SMS})


@dataclass(frozen=True)
class Message:
    """`objet` is a format string over the content; `gabarit` names templates/<gabarit>.j2, "" for what no mail says.

    `variables`: the names that the content of a mail must hold, all of which the template uses (VARIABLES says what
    they are). `version`: raised whenever what is said changes; each envoi keeps the one that it was written with.
    `consentement`: an alert, which needs an opt-in and carries the unsubscribe headers. The others answer what somebody
    did themselves. `agenda`: the method of its file for the calendar, which it carries where days are known.
    `conversation`: whoever gets it may answer the mail, where its content names a reponse.
    """

    objet: str
    gabarit: str
    variables: frozenset[str] = frozenset()
    canaux: frozenset[Canal] = _COURRIEL
    consentement: bool = False
    agenda: Methode | None = None
    conversation: bool = False
    version: int = 1


VARIABLES: Mapping[str, str] = {
    "titre": 'str: of the annonce or association, or of the digest; in reponse_sans_effet "" for an unknown annonce',
    "annonce_id": "str",
    "cible_id": "str: of the annonce or association that was decided about",
    "automatique": "bool: no person decided",
    "motifs": "list of expliquer(motif)",
    "quantite": "int: places or objects that are reserved, or waited for",
    "quantite_demandee": "int | None: what was offered, where fewer could be reserved",
    "place": "int | None: how many places were taken once these were reserved (Reponse.place)",
    "places": "int | None (never in an alerte): how many the annonce has",
    "rang": "int | None: position in the waiting list, from 1",
    **dict.fromkeys(
        ("avant", "apres"), "{date_debut, date_fin, creneaux, lieu, a_distance} as in the JSON of an annonce"
    ),
    "mot": "bool: the author left a word, which can be read in the account",
    "raison": "str: a RaisonSansEffet (reponse_sans_effet), a RaisonCloture (besoin_retire) or a NonTransmis "
    "(courriel_non_transmis)",
    "annonces": "list of annonces as JSON, each with pourquoi (str) and lien (str: its page); for quelle_annonce a "
    "list of {ref, titre}, latest first (SMS only)",
    "autres": "int: how many more annonces a digest, or lines a regroupement, does not show",
    "nouvelles": "list of {quoi, titre}: « 9 propositions d’aide », and of which annonce or association",
    **dict.fromkeys(
        ("date_debut", "date_fin", "creneaux", "lieu", "a_distance"),
        "as in the JSON of an annonce; where the message is about a place (gabarit « place ») all five or none, rappel "
        "has them: with them the mail says when and where, and carries a calendar file",
    ),
    **dict.fromkeys(("auteur", "sens", "nature", "description", "cession", "urgent"), "as in the JSON of an annonce"),
    "ref": "str: the code by which an SMS names the annonce, K7 (SMS only)",
    "pourquoi": "str: phrase(raisons), of one person (SMS and push only; in mails it is the slot raisons)",
    "messages": "list of {de, texte, quand}: what the other side wrote, in order; texte None: erased meanwhile",
    "ouverte": "bool: the conversation is not closed",
    "reponse_id": "str: of the conversation, and of its page; contents of older versions have none",
    "code": "str (SMS only; in mails it is the slot code)",
    "jusqua": "str: ISO date until which nothing is sent (SMS only)",
    "inconnu": "bool: the number is nobody's (SMS only)",
}
"""What the contents of content rows hold, by name. sms.py says which ones SMS and notifications use."""

_ANNONCE = frozenset(
    [
        "titre",
        "auteur",
        "sens",
        "nature",
        "description",
        "date_debut",
        "date_fin",
        "creneaux",
        "a_distance",
        "lieu",
        "places",
        "cession",
        "urgent",
        "annonce_id",
    ]
)
_DECISION = frozenset({"titre", "cible_id"})
_MOTIVEE = frozenset({"titre", "cible_id", "automatique", "motifs"})
_REPONSE = frozenset({"titre", "annonce_id", "quantite"})
_PLACE = frozenset({"titre", "annonce_id"})
_QUAND = frozenset({"date_debut", "date_fin", "creneaux", "lieu", "a_distance"})

MESSAGES: Mapping[Genre, Message] = {
    Genre.ALERTE: Message("{titre}", "alerte", _ANNONCE, _PARTOUT, consentement=True),
    Genre.RESUME: Message(
        "{titre}", "resume", frozenset({"titre", "annonces", "autres"}), _COURRIEL_ET_PUSH, consentement=True
    ),
    Genre.CODE: Message("Votre code de connexion", "code"),
    Genre.ANNONCE_PUBLIEE: Message(
        "Votre annonce est en ligne : {titre}", "decision_favorable", _DECISION, _COURRIEL_ET_PUSH
    ),
    Genre.ANNONCE_A_CORRIGER: Message(
        "Votre annonce est à corriger : {titre}", "decision_motivee", _MOTIVEE, _COURRIEL_ET_PUSH
    ),
    Genre.ANNONCE_REFUSEE: Message(
        "Votre annonce est refusée : {titre}", "decision_motivee", _MOTIVEE, _COURRIEL_ET_PUSH
    ),
    Genre.ANNONCE_RETIREE: Message(
        "Votre annonce est retirée : {titre}", "decision_motivee", _MOTIVEE, _COURRIEL_ET_PUSH
    ),
    Genre.CORRECTION_PUBLIEE: Message(
        "Votre correction est en ligne : {titre}", "decision_favorable", _DECISION, _COURRIEL_ET_PUSH
    ),
    Genre.CORRECTION_A_CORRIGER: Message(
        "Votre correction est à revoir : {titre}", "decision_motivee", _MOTIVEE, _COURRIEL_ET_PUSH
    ),
    Genre.CORRECTION_REFUSEE: Message(
        "Votre correction est refusée : {titre}", "decision_motivee", _MOTIVEE, _COURRIEL_ET_PUSH
    ),
    Genre.ASSOCIATION_VALIDEE: Message(
        "Votre association est validée : {titre}", "decision_favorable", frozenset({"titre"}), _COURRIEL_ET_PUSH
    ),
    Genre.ASSOCIATION_A_CORRIGER: Message(
        "L’inscription de votre association est à corriger : {titre}", "decision_motivee", _MOTIVEE, _COURRIEL_ET_PUSH
    ),
    Genre.ASSOCIATION_REFUSEE: Message(
        "L’inscription de votre association est refusée : {titre}", "decision_motivee", _MOTIVEE, _COURRIEL_ET_PUSH
    ),
    Genre.ASSOCIATION_RETIREE: Message(
        "Votre association est retirée de la plateforme : {titre}", "decision_motivee", _MOTIVEE, _COURRIEL_ET_PUSH
    ),
    Genre.REPONSE_RECUE: Message(
        "Quelqu’un peut vous aider : {titre}",
        "reponse_recue",
        frozenset({"titre", "quantite"}),
        _PARTOUT,
        conversation=True,
        version=2,
    ),
    Genre.REPONSE_NOTEE: Message(
        "Votre aide est notée : {titre}",
        "place",
        _PLACE | {"quantite", "quantite_demandee", "place", "places"},
        _PARTOUT,
    ),
    Genre.REPONSE_EN_ATTENTE: Message("Vous êtes en liste d’attente : {titre}", "place", _PLACE | {"rang"}, _PARTOUT),
    Genre.REPONSE_PROMUE: Message(
        "Une place est libre pour vous : {titre}",
        "place",
        _PLACE | {"quantite"},
        _PARTOUT,
        agenda=Methode.PUBLISH,
        conversation=True,
        version=2,
    ),
    Genre.REPONSE_ACCEPTEE: Message(
        "Votre aide est acceptée : {titre}",
        "place",
        _PLACE,
        _PARTOUT,
        agenda=Methode.PUBLISH,
        conversation=True,
        version=2,
    ),
    Genre.MESSAGE_RECU: Message(
        "Conversation : {titre}",
        "message_recu",
        frozenset({"titre", "reponse_id", "messages", "ouverte"}),
        frozenset({Canal.EMAIL, Canal.SMS}),
        conversation=True,
    ),
    Genre.COURRIEL_NON_TRANSMIS: Message(
        "Votre courriel n’a pas été transmis", "courriel_non_transmis", frozenset({"raison", "reponse_id"})
    ),
    Genre.REPONSE_DECLINEE: Message(
        "Votre aide n’est pas retenue cette fois : {titre}",
        "reponse_declinee",
        frozenset({"titre"}),
        _PARTOUT,
        agenda=Methode.CANCEL,
    ),
    Genre.REPONSE_DECLINEE_MOT: Message(
        "Votre aide n’est pas retenue cette fois : {titre}",
        "reponse_declinee",
        frozenset({"titre"}),
        _PARTOUT,
        agenda=Methode.CANCEL,
    ),
    Genre.PLACE_LIBEREE: Message(
        "Votre place n’est plus retenue : {titre}",
        "reponse_declinee",
        frozenset({"titre", "mot"}),
        _PARTOUT,
        agenda=Methode.CANCEL,
    ),
    Genre.REPONSE_ANNULEE: Message(
        "Une proposition d’aide est annulée : {titre}", "reponse_annulee", _REPONSE, _PARTOUT
    ),
    Genre.REPONSE_SANS_EFFET: Message(
        "Votre message n’a rien changé",
        "reponse_sans_effet",
        frozenset({"titre", "raison", "place", "places", "rang"}),
        _PARTOUT,
    ),
    Genre.RAPPEL: Message(
        "Rappel : {titre}",
        "place",
        _PLACE | _QUAND | {"quantite"},
        _PARTOUT,
        agenda=Methode.PUBLISH,
        conversation=True,
        version=2,
    ),
    Genre.CIRCONSTANCES_CHANGEES: Message(
        "Toujours d’accord ? Du nouveau pour {titre}", "circonstances_changees", _PLACE | {"avant", "apres"}, _PARTOUT
    ),
    Genre.REPONSE_CONFIRMEE: Message("C’est noté : {titre}", "reponse_confirmee", _PLACE, _PARTOUT),
    Genre.BESOIN_RETIRE: Message(
        "On ne vous attend plus : {titre}",
        "besoin_retire",
        frozenset({"titre", "raison"}),
        _PARTOUT,
        agenda=Methode.CANCEL,
    ),
    Genre.REGROUPEMENT: Message("{titre}", "regroupement", frozenset({"titre", "nouvelles", "autres"})),
    Genre.CODE_TELEPHONE: Message("Votre code", "", canaux=_SMS),
    Genre.STOP_CONFIRME: Message("Arrêt des SMS", "", canaux=_SMS),
    Genre.PAUSE_CONFIRMEE: Message("Pause des alertes", "", canaux=_SMS),
    Genre.REPRISE_CONFIRMEE: Message("Reprise des SMS", "", canaux=_SMS),
    Genre.NON_CONFIRME: Message("Annonce écartée", "", canaux=_SMS),
    Genre.AIDE_SMS: Message("Aide par SMS", "", canaux=_SMS),
    Genre.QUELLE_ANNONCE: Message("De quelle annonce s’agit-il ?", "", canaux=_SMS),
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


_CORRECTIONS: Mapping[Issue, Genre] = {
    Issue.APPROUVEE: Genre.CORRECTION_PUBLIEE,
    Issue.A_CORRIGER: Genre.CORRECTION_A_CORRIGER,
    Issue.REFUSEE: Genre.CORRECTION_REFUSEE,
}


def genre_de_decision(decision: Decision) -> Genre:
    if decision.correction:
        return _CORRECTIONS[decision.issue]
    return _DECISIONS[decision.cible_type, decision.issue]


def objet(genre: Genre, donnees: Mapping[str, Any]) -> str:
    """The subject on one line: whatever a title contains, it cannot start another header."""
    texte = MESSAGES[genre].objet.replace(" : ", f"{NBSP}: ").replace(" ?", f"{NBSP}?").format_map(_UneLigne(donnees))
    if genre is Genre.ALERTE and donnees["urgent"]:
        texte = f"Urgent{NBSP}: {texte}"
    return texte if len(texte) <= _OBJET_MAX else texte[: _OBJET_MAX - 1].rstrip() + "…"


class _UneLigne(dict[str, Any]):
    """Cleans what is asked for: a subject names one value of many."""

    def __getitem__(self, nom: str) -> Any:
        valeur = super().__getitem__(nom)
        return une_ligne(valeur) if isinstance(valeur, str) else valeur


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
