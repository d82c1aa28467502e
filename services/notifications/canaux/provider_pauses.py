"""Pauses of providers that refuse us: they get nothing for a while, then one batch as a test, and so on."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from contracts.notifications import Canal
from kit.logging import get_logger
from services.notifications.canaux.base import Issue, NousRefuse, Recu
from services.notifications.metrics import NOUS_REFUSE

log = get_logger(__name__)

PAUSE_MIN_S, PAUSE_MAX_S = 5.0, 60.0
"""First and longest pause in seconds; each pause is twice as long as the one before. The maximum limits the wait after
the problem is solved."""


@dataclass(frozen=True)
class _Retenue:
    jusqua: float
    pause_s: float


class ProviderPauses:
    """Pauses of one channel in one process, shared by its connections."""

    def __init__(self, canal: Canal, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._canal = canal
        self._monotonic = monotonic
        self._retenues: dict[str, _Retenue] = {}

    def parmi(self, noms: Iterable[str]) -> frozenset[str]:
        """Those of `noms` that are paused."""
        now = self._monotonic()
        return frozenset(nom for nom in noms if nom in self._retenues and self._retenues[nom].jusqua > now)

    def apprendre(self, nom: str, issues: Sequence[Issue]) -> None:
        """Learns from the outcomes of a batch, in order: the last one about the provider counts."""
        for issue in reversed(issues):
            if isinstance(issue, NousRefuse):
                return self.poser(nom, issue.motif)
            if isinstance(issue, Recu):
                return self.lever(nom)

    def poser(self, nom: str, motif: str) -> None:
        """The provider has refused us. `motif`: codes only. Refusals of one batch count once."""
        if self.parmi((nom,)):
            return
        avant = self._retenues.get(nom)
        pause_s = min(2 * avant.pause_s, PAUSE_MAX_S) if avant else PAUSE_MIN_S
        self._retenues[nom] = _Retenue(self._monotonic() + pause_s, pause_s)
        signaler(self._canal, nom, motif)

    def lever(self, nom: str) -> None:
        """The provider has accepted a message: ends its pause."""
        self._retenues.pop(nom, None)


def signaler(canal: Canal, nom: str, motif: str) -> None:
    """Warns operators through the log, and the metric of the alert FournisseurNousRefuse."""
    log.error("provider_refuses_us", canal=canal, provider=nom, reason=motif)
    NOUS_REFUSE.labels(canal, nom).inc()
