"""Settings of the processes of annonces."""

import datetime as dt

from kit import settings

SERVICE = "annonces"
"""The name of the database, of the consumer group, of the source of events, of the audience of tokens."""


class Reglages(settings.Settings):
    """`jeton_cle_publique`: the PEM with which internal tokens are checked. `expiration_s`: pause between two looks for
    annonces whose last day is over, in seconds. `rappel_heure`: when, in Paris, those who hold places are reminded of
    the next day ("17:00"); `rappel_s`: pause between two looks for them, in seconds.
    """

    jeton_cle_publique: str = ""
    expiration_s: float = 30.0
    rappel_heure: dt.time = dt.time(17)
    rappel_s: float = 30.0
