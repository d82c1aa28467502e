"""Settings of matching: what every process needs, the gateway's public key, and limits."""

from kit.settings import Settings

SERVICE = "matching"
"""Name of the database, the consumer group, the source of events and the audience of tokens."""


class Reglages(Settings):
    """`jeton_cle_publique`: PEM of the key that verifies internal tokens. `profils_max`: number of profils per
    account."""

    jeton_cle_publique: str = ""
    profils_max: int = 20
