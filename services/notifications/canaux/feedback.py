"""What comes back from providers: receipts, bounces, complaints, and the SMS that people send us."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    LIVRE = "livre"
    NON_LIVRE = "non_livre"
    """Not delivered for a passing reason (phone off, mailbox full), and the provider has given up."""
    REFUSE = "refuse"
    """Never deliverable: no such mailbox or number."""
    PLAINTE = "plainte"
    """The person told their provider that they did not want it."""


@dataclass(frozen=True)
class Retour:
    """A provider's later word about a message, found by `reference` (its id) or `envoi_id` (ours).

    `motif` holds codes only ("smpp UNDELIV 001", "dsn 5.1.1"): free text of providers often repeats the address.
    """

    fournisseur: str
    verdict: Verdict
    motif: str
    at: dt.datetime
    reference: str | None = None
    envoi_id: str | None = None


@dataclass(frozen=True)
class SmsRecu:
    """An SMS that somebody sent us. `de`: E.164. `reference`: the provider's id of it, or a digest of its parts: the
    same reference twice is the same message."""

    fournisseur: str
    reference: str
    de: str
    texte: str
    at: dt.datetime
