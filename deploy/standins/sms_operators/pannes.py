"""Requested faults of an operator."""

import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from deploy.standins.sms_operators.recus import SORTS

_ATTENDU = (
    "Attendu : limiter, refuser, couper, delai_ms, delai_recus_ms (nombres entiers, zéro ou plus), "
    f"debit_par_s (nombre), recus_doubles, recus_desordre, recus_retenus (vrai ou faux), recus ({', '.join(SORTS)})."
)


class PanneInconnue(ValueError):
    """The text says what is expected."""


@dataclass
class Pannes:
    """Faults of an operator.

    `limiter`, `refuser`: answer "too many" or "never" to this number of messages. `couper`: accept this number of
    messages, and close the connection without an answer. `delai_ms`: wait before each answer. `debit_par_s`: answer
    "too many" above this rate; 0 means no limit. `recus`: the outcome in the next receipts. `delai_recus_ms`: delay of
    receipts after the message. `recus_doubles`: send each receipt twice. `recus_desordre`: collect receipts for a
    moment and send the newest first. `recus_retenus`: send no receipt until this fault ends.
    """

    limiter: int = 0
    refuser: int = 0
    couper: int = 0
    delai_ms: int = 0
    debit_par_s: float = 0
    recus: str = "livre"
    delai_recus_ms: int = 200
    recus_doubles: bool = False
    recus_desordre: bool = False
    recus_retenus: bool = False

    def __post_init__(self) -> None:
        # Values set at the start are no faults: they remain when faults end.
        self._initiales = dataclasses.asdict(self)

    def prendre(self, nom: str) -> bool:
        """Returns whether the next message gets the fault `nom`, and counts it down."""
        left: int = getattr(self, nom)
        if left > 0:
            setattr(self, nom, left - 1)
        return left > 0

    def remplacer(self, voulues: Any) -> None:
        """Replaces all faults by `voulues`. Raises PanneInconnue, and changes nothing then."""
        if not isinstance(voulues, dict):
            raise PanneInconnue(_ATTENDU)
        fresh = dict(self._initiales)
        for nom, value in voulues.items():
            if not _convient(nom, value):
                raise PanneInconnue(f"« {str(nom)[:40]} » n’est pas compris. {_ATTENDU}")
            fresh[nom] = value
        for nom, value in fresh.items():
            setattr(self, nom, value)

    def vues(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


def _convient(nom: Any, value: Any) -> bool:
    types = {field.name: field.type for field in dataclasses.fields(Pannes)}
    match types.get(nom):
        case t if t is bool:
            return isinstance(value, bool)
        case t if t is str:
            return isinstance(value, str) and value in SORTS
        case t if t is int:
            return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 10**9
        case t if t is float:
            return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 10**6
        case _:
            return False


class TokenBucket:
    """A token bucket that holds one second of messages."""

    def __init__(self, horloge: Callable[[], float] = time.monotonic) -> None:
        self._horloge = horloge
        self._reste = 1.0
        self._vu = horloge()

    def prendre(self, par_s: float) -> bool:
        """Returns whether one more message may pass at this rate; a rate of 0 means no limit."""
        if par_s <= 0:
            return True
        now = self._horloge()
        self._reste = min(max(par_s, 1.0), self._reste + (now - self._vu) * par_s)
        self._vu = now
        if self._reste < 1:
            return False
        self._reste -= 1
        return True
