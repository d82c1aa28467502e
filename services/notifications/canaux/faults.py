"""Whose fault a failure is, and what follows for the message. Pure; each channel maps its providers' answers to these
values."""

from collections.abc import Sequence
from enum import StrEnum

from services.notifications.canaux.base import EchecRemise, Issue, NousRefuse, Permanent, Recu, Sature, Temporaire


class Faute(StrEnum):
    DESTINATAIRE = "destinataire"
    """The recipient does not exist, does not want the message, or cannot get it now."""
    MESSAGE = "message"
    """This text or size; another message would pass."""
    FOURNISSEUR = "fournisseur"
    """The provider has a problem of its own."""
    NOTRE = "notre"
    """Our settings, password, credit, quota or sender: every message of ours would be refused."""


def echec(faute: Faute, motif: str, fournisseur: str, *, definitif: bool) -> EchecRemise:
    """The error for a refusal. `definitif`: the provider calls the refusal final; this counts only for faults of the
    recipient and of the message."""
    match faute:
        case Faute.NOTRE:
            return NousRefuse(motif, fournisseur)
        case Faute.FOURNISSEUR:
            return Sature(motif, fournisseur)
        case _:
            return Permanent(motif, fournisseur) if definitif else Temporaire(motif, fournisseur)


def relire(issues: Sequence[Issue], genres: tuple[type[EchecRemise], ...] = (NousRefuse,)) -> list[Issue]:
    """Reviews the outcomes of a batch at one provider, in order.

    A refusal that blames us, followed by an accepted message, was in fact about its message and counts as an attempt.
    Otherwise one message that is always misjudged would block all others for ever. `genres`: the error types concerned.
    """
    dernier_pris = max((rang for rang, issue in enumerate(issues) if isinstance(issue, Recu)), default=-1)
    return [
        Temporaire(issue.motif, issue.fournisseur) if rang < dernier_pris and isinstance(issue, genres) else issue
        for rang, issue in enumerate(issues)
    ]
