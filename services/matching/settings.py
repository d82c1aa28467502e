"""Settings of matching: what every process needs, the gateway's public key, and limits."""

from kit.settings import Settings

SERVICE = "matching"
"""The name of the database, of the consumer group, of the source of events, of the audience of tokens."""


class Reglages(Settings):
    """`jeton_cle_publique`: PEM of the key that signs internal tokens. `profils_max`: how many an account may have."""

    jeton_cle_publique: str = ""
    profils_max: int = 20
