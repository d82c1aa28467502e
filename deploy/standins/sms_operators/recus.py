"""Delivery receipts: text of SMPP 3.4, appendix B, and words of the HTTP provider. Pure."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class ReceiptOutcome:
    """Outcome of an SMS: SMPP word and number (message_state), error code, word of the HTTP provider."""

    stat: str
    message_state: int
    err: str
    status: str

    @property
    def arrivee(self) -> bool:
        return self.stat == "DELIVRD"


SORTS = {
    "livre": ReceiptOutcome("DELIVRD", 2, "000", "delivered"),
    "non_livre": ReceiptOutcome("UNDELIV", 5, "027", "undelivered"),
    "refuse": ReceiptOutcome("REJECTD", 8, "001", "rejected"),
}


def texte(message_id: str, sort: ReceiptOutcome, soumis: datetime, fait: datetime) -> str:
    """The text of a receipt. It does not repeat the message, which may contain a code."""
    dlvrd = 1 if sort.arrivee else 0
    return (
        f"id:{message_id} sub:001 dlvrd:{dlvrd:03d} submit date:{soumis:%y%m%d%H%M} done date:{fait:%y%m%d%H%M} "
        f"stat:{sort.stat} err:{sort.err} text:"
    )
