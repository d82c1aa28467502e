"""Delivery receipts: the text of SMPP 3.4, appendix B, and the words of the HTTP provider. Pure."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Sort:
    """What became of an SMS: the word and the number (message_state) of SMPP, its error code, the word of HTTP."""

    stat: str
    message_state: int
    err: str
    status: str

    @property
    def arrivee(self) -> bool:
        return self.stat == "DELIVRD"


SORTS = {
    "livre": Sort("DELIVRD", 2, "000", "delivered"),
    "non_livre": Sort("UNDELIV", 5, "027", "undelivered"),
    "refuse": Sort("REJECTD", 8, "001", "rejected"),
}


def texte(message_id: str, sort: Sort, soumis: datetime, fait: datetime) -> str:
    """The text of a receipt. Nothing of the message is repeated: it may hold a code."""
    dlvrd = 1 if sort.arrivee else 0
    return (
        f"id:{message_id} sub:001 dlvrd:{dlvrd:03d} submit date:{soumis:%y%m%d%H%M} done date:{fait:%y%m%d%H%M} "
        f"stat:{sort.stat} err:{sort.err} text:"
    )
