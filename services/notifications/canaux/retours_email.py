"""What comes back about mails: by mail (`lire`), and by the requests of relays (`verifier_webhook`)."""

from services.notifications.canaux.email.evenements import (
    Contrefait,
    Malforme,
    Perime,
    RetourRefuse,
    signer_webhook,
    verifier_webhook,
)
from services.notifications.canaux.email.rebonds import lire

__all__ = ["Contrefait", "Malforme", "Perime", "RetourRefuse", "lire", "signer_webhook", "verifier_webhook"]
