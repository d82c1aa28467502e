"""Whose fault an outcome is, and what follows for a message. Pure; each channel has its own table of answers."""

from collections.abc import Sequence
from enum import StrEnum

from services.notifications.canaux.base import EchecRemise, Issue, Permanent, Recu, Retenu, Sature, Temporaire


class Faute(StrEnum):
    DESTINATAIRE = "destinataire"
    """No such person there, or they do not want it, or not now."""
    MESSAGE = "message"
    """This text, this size; another one would pass."""
    FOURNISSEUR = "fournisseur"
    """The provider has a trouble of its own."""
    NOTRE = "notre"
    """Our settings, password, credit, quota, sender: every message of ours would be refused."""


def echec(faute: Faute, motif: str, fournisseur: str, *, definitif: bool) -> EchecRemise:
    """The failure that a refusal means. `definitif`: the provider says that it will not change its mind; that is
    believed of the recipient and of the message only."""
    match faute:
        case Faute.NOTRE:
            return Retenu(motif, fournisseur)
        case Faute.FOURNISSEUR:
            return Sature(motif, fournisseur)
        case _:
            return Permanent(motif, fournisseur) if definitif else Temporaire(motif, fournisseur)


def relire(issues: Sequence[Issue], genres: tuple[type[EchecRemise], ...] = (Retenu,)) -> list[Issue]:
    """The outcomes of one lot at one provider, in their order, seen together. A refusal that blames us, though the
    provider took a later message, was about its message: it is counted, or one message that is always misjudged would
    hold back all others for ever. `genres`: the failures that this is true of."""
    dernier_pris = max((rang for rang, issue in enumerate(issues) if isinstance(issue, Recu)), default=-1)
    return [
        Temporaire(issue.motif, issue.fournisseur) if rang < dernier_pris and isinstance(issue, genres) else issue
        for rang, issue in enumerate(issues)
    ]
