"""What the gateway reads from its environment and its secrets."""

import base64
import binascii

from pydantic import Field, field_validator

from kit.http.replicas import addresses
from kit.settings import Settings


class Reglages(Settings):
    """`jeton_cle_privee`: an Ed25519 PEM; `cle_empreinte`: 32 bytes as URL-safe base64, keying the hashes of addresses.

    `…_url`: where each service is reached; several addresses, comma-separated, where each of its processes has its own.
    `proxys_de_confiance`: addresses or networks, comma-separated, whose X-Forwarded-For is believed.
    `limite_…`: how many, and in which window; 0 turns a limit off.
    """

    annonces_url: str = "http://127.0.0.1:8001"
    moderation_url: str = "http://127.0.0.1:8002"
    matching_url: str = "http://127.0.0.1:8003"
    notifications_url: str = "http://127.0.0.1:8004"

    jeton_cle_privee: str = ""
    cle_empreinte: str = ""

    proxys_de_confiance: str = ""
    limite_codes_par_adresse_heure: int = 10
    limite_codes_par_ip_heure: int = 200
    limite_essais_par_ip_heure: int = 300
    # An SMS costs money: fewer codes, and as few from one address of the Internet.
    limite_codes_sms_par_compte_heure: int = 5
    limite_codes_sms_par_ip_heure: int = 40
    limite_ecritures_par_compte_minute: int = 1200
    limite_requetes_par_ip_minute: int = 6000
    # Providers report every message from a few addresses: 1,000 a second.
    limite_rappels_par_ip_minute: int = 60_000

    # Pages lie apart from sessions, codes and counters, so that they cannot push them out; without a Redis of their own
    # they lie in REDIS_URL, as many at most.
    cache_url: str = ""
    pages_gardees: int = Field(default=500, ge=1)

    delai_service_s: float = 15.0
    # What the restart of a service takes, with some room: a request waits for it instead of a 503.
    attente_reprise_s: float = 10.0
    fraicheur_s: int = 10
    peremption_s: int = 600

    # Who answers for the site (LCEN): facts of the installation, not of the code.
    editeur: str = "Ville de Lille"
    directeur_publication: str = "La maire ou le maire de Lille"
    hebergeur: str = "Ville de Lille"
    contact: str = "Mairie de Lille, direction de la vie associative"

    @field_validator("cle_empreinte")
    @classmethod
    def _long_enough(cls, value: str) -> str:
        try:
            key = base64.urlsafe_b64decode(value)
        except (binascii.Error, ValueError) as error:
            raise ValueError("cle_empreinte must be URL-safe base64") from error
        if value and len(key) < 32:
            raise ValueError("cle_empreinte must hold at least 32 bytes")
        return value

    @property
    def empreinte_key(self) -> bytes:
        """Raises ValueError when the secret is absent: an empty key would make the hashes of addresses guessable."""
        if not self.cle_empreinte:
            raise ValueError("cle_empreinte is missing: run `python -m deploy.stack.secrets` and set SECRETS_DIR")
        return base64.urlsafe_b64decode(self.cle_empreinte)

    @property
    def services(self) -> dict[str, list[str]]:
        """Name of each service → the base URLs of its API, without a slash at their ends."""
        urls = {
            "annonces": self.annonces_url,
            "moderation": self.moderation_url,
            "matching": self.matching_url,
            "notifications": self.notifications_url,
        }
        return {name: addresses(setting) for name, setting in urls.items()}
