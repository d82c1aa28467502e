"""E-mail by SMTP over sessions that stay open.

`canal` opens, `relais` says where to, `dialogue` takes a `lot` through, `plis` and `reponses` are its words,
`fil` is the wire.
"""

from services.notifications.canaux.email.canal import CanalEmail, ConnexionSmtp
from services.notifications.canaux.email.relays import AuPoids
from services.notifications.canaux.email.servers import Serveur, lire_url, lire_urls

__all__ = ["AuPoids", "CanalEmail", "ConnexionSmtp", "Serveur", "lire_url", "lire_urls"]
