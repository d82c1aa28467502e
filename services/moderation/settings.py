"""Settings of moderation."""

import datetime as dt
from typing import Literal

from pydantic import Field

from kit.settings import Settings

SERVICE = "moderation"
"""The name of the database, of the consumer group, of the source of events, of the audience of tokens."""


class Reglages(Settings):
    """`politique`: "pre", everything is seen before it is published; "confiance", what a trusted association posts is
    published at once and seen after. `bail_s`: for how many seconds a claimed dossier is kept for who claimed it."""

    jeton_cle_publique: str = ""
    politique: Literal["pre", "confiance"] = "pre"
    bail_s: int = Field(default=600, ge=10)

    @property
    def bail(self) -> dt.timedelta:
        return dt.timedelta(seconds=self.bail_s)
