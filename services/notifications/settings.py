"""Settings of notifications: the keys come from SECRETS_DIR, the rest from the environment."""

from kit.settings import Settings

SERVICE = "notifications"
"""The name of the database, of the consumer group, of the source of events, of the audience of tokens."""


class Reglages(Settings):
    """`smtp_url`: smtp://[user:password@]host[:port] or smtps://…; `?starttls=1` asks for STARTTLS.

    `cle_chiffrement`: urlsafe base64 keys of 32 bytes, comma-separated: the first encrypts, all of them decrypt.
    `connexions` is the number of SMTP connections that a worker keeps open.
    """

    jeton_cle_publique: str = ""
    cle_chiffrement: str = ""
    cle_liens: str = ""
    smtp_url: str = "smtp://127.0.0.1:1025"
    expediteur_nom: str = "Place des assos"
    expediteur_adresse: str = "ne-pas-repondre@place-des-assos.example"
    connexions: int = 8
    conservation_jours: int = 365

    @property
    def domaine(self) -> str:
        """The domain of the sender: Message-ID and List-Id are names below it."""
        return self.expediteur_adresse.rpartition("@")[2]
