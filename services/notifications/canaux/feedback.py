"""What providers report later: receipts, bounces, complaints, and SMS sent to us."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    LIVRE = "livre"
    NON_LIVRE = "non_livre"
    """Not delivered for a temporary reason (phone off, mailbox full), and the provider has given up."""
    REFUSE = "refuse"
    """Can never be delivered: the mailbox or number does not exist."""
    PLAINTE = "plainte"
    """The person told their provider that they do not want it."""


@dataclass(frozen=True)
class Retour:
    """A provider's report about a message, found by `reference` (the provider's id) or `envoi_id` (ours). `motif`
    contains codes only ("smpp UNDELIV 001", "dsn 5.1.1"), because free text of providers often repeats the address."""

    fournisseur: str
    verdict: Verdict
    motif: str
    at: dt.datetime
    reference: str | None = None
    envoi_id: str | None = None


@dataclass(frozen=True)
class SmsRecu:
    """An SMS sent to us. `de`: E.164. `reference`: the provider's id, or a digest of its parts; the same reference
    means the same message."""

    fournisseur: str
    reference: str
    de: str
    texte: str
    at: dt.datetime
