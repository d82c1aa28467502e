"""What an answer of a relay means for a message: its code, never its text, which often repeats the address."""

import re

from services.notifications.canaux.base import EchecRemise, Injoignable, Issue, Permanent, Recu, Temporaire
from services.notifications.canaux.email.fil import Reponse

SERVICE_FERME = 421

_CODE_DETAILLE = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")
# Postfix and Sendgrid say "queued as", Exim "id=", Amazon SES "Ok" and its id.
_REFERENCE = re.compile(r"(?:queued as |\bid=|^(?:2\.\d\.\d )?Ok )([A-Za-z0-9.-]{6,100})\b(?!@)")


def refus(reponse: Reponse, fournisseur: str) -> EchecRemise:
    detaille = _CODE_DETAILLE.match(reponse.texte)
    motif = f"smtp {reponse.code}" + (f" {detaille.group()}" if detaille else "")
    if reponse.code == SERVICE_FERME:
        return Injoignable(motif, fournisseur)
    return Permanent(motif, fournisseur) if reponse.code >= 500 else Temporaire(motif, fournisseur)


def recu(reponse: Reponse, fournisseur: str) -> Recu:
    """With the relay's own id of the message, where it tells one."""
    trouve = _REFERENCE.search(reponse.texte)
    return Recu(fournisseur, trouve[1] if trouve else None)


def est_un_refus(reponse: Reponse) -> bool:
    return 400 <= reponse.code < 600


def est_un_accord(reponse: Reponse) -> bool:
    return 200 <= reponse.code < 300


def relais_en_etat(issue: Issue) -> bool:
    """Whether the relay did its work: a mailbox that does not exist is no fault of its."""
    return isinstance(issue, Recu | Permanent)
