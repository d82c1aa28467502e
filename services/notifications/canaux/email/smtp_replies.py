"""Interprets replies of a relay for a message. Keeps only the codes: the text often repeats the address."""

import re

import aiosmtplib

from services.notifications.canaux.base import (
    EchecRemise,
    Injoignable,
    Issue,
    NousRefuse,
    Recu,
    Sature,
    Temporaire,
)
from services.notifications.canaux.email.verdicts import SmtpStep, juger
from services.notifications.canaux.email.wire import Reponse
from services.notifications.canaux.faults import echec, relire

SERVICE_FERME = 421

_CODE_DETAILLE = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")
# Formats of the message id: Postfix, Sendgrid, Mailjet and OVH "queued as", Exim "id=", Exchange InternalId, Gmail "OK
# <time> <id>", qmail "qp", Amazon SES "Ok" and id, sendmail and OpenSMTPD the id before "Message accepted".
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
    """421 to one recipient or one content (a Postfix access map, an Exim defer): the message is refused for now, and
    the relay has closed the session. The other messages continue in a new session."""


def refus(reponse: Reponse, fournisseur: str, etape: SmtpStep) -> EchecRemise:
    """`etape`: the command that was refused."""
    detaille = _CODE_DETAILLE.match(reponse.texte)
    motif = f"smtp {reponse.code}" + (f" {detaille.group()}" if detaille else "")
    faute = juger(etape, reponse.code, reponse.texte)
    issue = echec(faute, motif, fournisseur, definitif=reponse.code >= 500)
    if reponse.code != SERVICE_FERME or isinstance(issue, Injoignable):
        return issue
    # Before a recipient is named, 421 means that the relay closes the session.
    if etape in (SmtpStep.OUVERTURE, SmtpStep.MAIL):
        return Injoignable(motif, fournisseur)
    return Differe(motif, fournisseur)


def recu(reponse: Reponse, fournisseur: str) -> Recu:
    """The acceptance, with the relay's id of the message if it gives one."""
    return Recu(fournisseur, _reference(reponse.texte))


def _reference(texte: str) -> str | None:
    """The complete id, or None."""
    for motif in _REFERENCES:
        if trouve := motif.search(texte):
            identifiant = trouve[1].strip("<>()[],;").rstrip(".")
            return identifiant if _IDENTIFIANT.fullmatch(identifiant) else None
    return None


def refus_d_ouverture(error: Exception) -> str | None:
    """The codes when a relay refuses us a session; None when it is unreachable. Leaves out the text, because that of a
    failed AUTH may contain the user name."""
    if isinstance(error, aiosmtplib.SMTPResponseException):
        issue = refus(Reponse(error.code, error.message), "", SmtpStep.OUVERTURE)
        return issue.motif if isinstance(issue, NousRefuse) else None
    # The relay offers no STARTTLS or no login, which our settings require. aiosmtplib has no exception class for the
    # first case.
    notre = isinstance(error, aiosmtplib.SMTPNotSupported) or type(error) is aiosmtplib.SMTPException
    return "smtp réglages" if notre else None


def relire_le_lot(issues: list[Issue]) -> list[Issue]:
    """Reviews the outcomes of a batch at one relay: a refusal of all messages is the relay's fault; a refusal followed
    by an accepted message is the message's."""
    lues = relire(issues, (NousRefuse, Sature, Differe))
    if sum(isinstance(issue, Differe) for issue in lues) < 2:
        return lues
    return [Injoignable(issue.motif, issue.fournisseur) if isinstance(issue, Differe) else issue for issue in lues]


def est_un_refus(reponse: Reponse) -> bool:
    return 400 <= reponse.code < 600


def est_un_accord(reponse: Reponse) -> bool:
    return 200 <= reponse.code < 300
