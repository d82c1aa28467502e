"""Settings of the processes of annonces."""

from kit import settings

SERVICE = "annonces"
"""The name of the database, of the consumer group, of the source of events, of the audience of tokens."""


class Reglages(settings.Settings):
    """`jeton_cle_publique`: the PEM with which internal tokens are checked. `expiration_s`: pause between two looks for
    annonces whose last day is over, in seconds.
    """

    jeton_cle_publique: str = ""
    expiration_s: float = 30.0
