"""What comes back about mails: by mail (`lire`), and by the requests of relays (`verifier_webhook`)."""

from services.notifications.canaux.email.bounces import lire
from services.notifications.canaux.email.webhook import (
    Contrefait,
    Malforme,
    Perime,
    RetourRefuse,
    signer_webhook,
    verifier_webhook,
)

__all__ = ["Contrefait", "Malforme", "Perime", "RetourRefuse", "lire", "signer_webhook", "verifier_webhook"]
