"""Settings of moderation."""

import datetime as dt
from typing import Literal

from pydantic import Field

from kit.settings import Settings

SERVICE = "moderation"
"""Name of the database, the consumer group, the source of events and the audience of tokens."""


class Reglages(Settings):
    """`politique`: "pre" publishes after a moderator's decision; "confiance" publishes annonces of trusted associations
    at once, to be read afterwards. `bail_s`: seconds for which a claim is kept."""

    jeton_cle_publique: str = ""
    politique: Literal["pre", "confiance"] = "pre"
    bail_s: int = Field(default=600, ge=10)

    @property
    def bail(self) -> dt.timedelta:
        return dt.timedelta(seconds=self.bail_s)
