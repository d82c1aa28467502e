"""What an answer of a relay means for a message: its code, never its text, which often repeats the address."""

import re

import aiosmtplib

from services.notifications.canaux.base import (
    EchecRemise,
    Injoignable,
    Issue,
    Recu,
    Retenu,
    Sature,
    Temporaire,
)
from services.notifications.canaux.email.verdicts import Etape, juger
from services.notifications.canaux.email.wire import Reponse
from services.notifications.canaux.faults import echec, relire

SERVICE_FERME = 421

_CODE_DETAILLE = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")
# Postfix, Sendgrid, Mailjet and OVH say "queued as", Exim "id=", Exchange its InternalId, Gmail "OK <time> <id>", qmail
# "qp", Amazon SES "Ok" and its id, sendmail and OpenSMTPD the id before "Message accepted".
_REFERENCES = tuple(
    re.compile(motif, re.IGNORECASE)
    for motif in (
        r"queued as\s+(\S+)",
        r"\bid=(\S+)",
        r"\bInternalId=(\d+)",
        r"\bok\s+\d{9,11}\s+qp\s+(\d+)",
        r"\bok\s+\d{9,11}\s+(\S+)\s+-\s+gsmtp",
        r"^(?:2\.\d\.\d\s+)?(\S+)\s+message accepted",
        r"^(?:2\.\d\.\d\s+)?ok:?\s+(\S+)$",
    )
)
_IDENTIFIANT = re.compile(r"[A-Za-z0-9._@+=/-]{5,200}")


class Differe(Temporaire):
    """421 to one recipient or one content (a Postfix access map, an Exim defer): this message is refused for now, and
    the relay has closed the session. The others go on in a new one."""


def refus(reponse: Reponse, fournisseur: str, etape: Etape) -> EchecRemise:
    """`etape`: which command it answers."""
    detaille = _CODE_DETAILLE.match(reponse.texte)
    motif = f"smtp {reponse.code}" + (f" {detaille.group()}" if detaille else "")
    faute = juger(etape, reponse.code, reponse.texte)
    issue = echec(faute, motif, fournisseur, definitif=reponse.code >= 500)
    if reponse.code != SERVICE_FERME or isinstance(issue, Injoignable):
        return issue
    # Before a recipient is named, it is the relay that closes.
    if etape in (Etape.OUVERTURE, Etape.MAIL):
        return Injoignable(motif, fournisseur)
    return Differe(motif, fournisseur)


def recu(reponse: Reponse, fournisseur: str) -> Recu:
    """With the relay's own id of the message, where it tells one."""
    return Recu(fournisseur, _reference(reponse.texte))


def _reference(texte: str) -> str | None:
    """The id whole, or None: a part of it would be no id."""
    for motif in _REFERENCES:
        if trouve := motif.search(texte):
            identifiant = trouve[1].strip("<>()[],;").rstrip(".")
            return identifiant if _IDENTIFIANT.fullmatch(identifiant) else None
    return None


def refus_d_ouverture(error: Exception) -> str | None:
    """The codes of a session that a relay refuses to us; None where it is away. The text of a refused AUTH may repeat
    the user's name, and is not told."""
    if isinstance(error, aiosmtplib.SMTPResponseException):
        issue = refus(Reponse(error.code, error.message), "", Etape.OUVERTURE)
        return issue.motif if isinstance(issue, Retenu) else None
    # It offers no STARTTLS, or no way to log in, and our settings ask for it: aiosmtplib has no class for the first.
    notre = isinstance(error, aiosmtplib.SMTPNotSupported) or type(error) is aiosmtplib.SMTPException
    return "smtp réglages" if notre else None


def relire_le_lot(issues: list[Issue]) -> list[Issue]:
    """The outcomes of a lot at one relay, seen together: what was said of all its messages is the relay's fault, what
    was said of one while a later one passed is that message's."""
    lues = relire(issues, (Retenu, Sature, Differe))
    if sum(isinstance(issue, Differe) for issue in lues) < 2:
        return lues
    return [Injoignable(issue.motif, issue.fournisseur) if isinstance(issue, Differe) else issue for issue in lues]


def est_un_refus(reponse: Reponse) -> bool:
    return 400 <= reponse.code < 600


def est_un_accord(reponse: Reponse) -> bool:
    return 200 <= reponse.code < 300
