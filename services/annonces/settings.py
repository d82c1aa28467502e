"""Settings of the processes of annonces."""

import datetime as dt

from kit import settings

SERVICE = "annonces"
"""The name of the database, of the consumer group, of the source of events, of the audience of tokens."""


class Reglages(settings.Settings):
    """`jeton_cle_publique`: the PEM with which the tokens of the gateway are checked;
    `jeton_cle_publique_notifications` the same for those of notifications. `jeton_cle_privee`: the PEM that signs our
    own, for `notifications_url`. `cle_messages`: urlsafe base64 keys of 32
    bytes, comma-separated: the first encrypts what people write to one another, all of them decrypt.

    `expiration_s`: pause between two looks for annonces whose last day is over, in seconds. `rappel_heure`: when, in
    Paris, those who hold places are reminded of the next day ("17:00"); `rappel_s`: pause between two looks for them,
    in seconds.
    """

    jeton_cle_publique: str = ""
    jeton_cle_publique_notifications: str = ""
    jeton_cle_privee: str = ""
    notifications_url: str = "http://127.0.0.1:8004"
    cle_messages: str = ""
    expiration_s: float = 30.0
    rappel_heure: dt.time = dt.time(17)
    rappel_s: float = 30.0
    changement_delai_s: float = 600.0
    changement_s: float = 15.0
