"""Lots that a deliverer claims before their turn, in the transaction that inserts their rows: it saves a claim later.

Their leases are extended while they wait.
"""

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from contracts.envois import Etat
from contracts.notifications import Canal
from kit.database.mongo import Session
from kit.ids import new_id
from services.notifications import domain
from services.notifications.delivery.claims import Claims
from services.notifications.registre.recipients import Recipients
from services.notifications.registre.rows import Ligne


@dataclass
class Lot:
    """Rows that wait for a connection.

    `claimed_at`: monotonic seconds; None while they are not claimed. `recipients`: what was read of them; their
    unsubscriptions and closings are as of `seen_at`.
    """

    id: str
    lignes: Sequence[Ligne]
    claimed_at: float | None = None
    recipients: Recipients | None = None
    seen_at: float | None = None

    def claimed_within(self, seconds: float) -> bool:
        return _within(self.claimed_at, seconds)

    def seen_within(self, seconds: float) -> bool:
        return _within(self.seen_at, seconds)


class ClaimedAhead:
    """The lots of one channel in one process, first in, first out."""

    def __init__(self, canal: Canal, claims: Claims) -> None:
        self._canal = canal
        self._claims = claims
        self.lots: deque[Lot] = deque()

    @property
    def lignes(self) -> list[Ligne]:
        return [ligne for lot in self.lots for ligne in lot.lignes]

    async def claim(
        self, lignes: Sequence[Ligne], recipients: Recipients | None, connexions: int, session: Session
    ) -> list[Lot]:
        """Claims, in lots, rows that this transaction is about to insert; after its commit give each lot to `add`.

        Returns [] where a message of unknown outcome is not sent again (SMS, push), and when enough is waiting already.
        """
        attendent = len(self.lignes) + len(lignes)
        if self._canal not in domain.RENVOYES or attendent > domain.AVANCE_MAX:
            return []
        now = time.monotonic()
        taille = domain.taille_lot(self._canal, attendent, connexions)
        lots = [
            Lot(new_id(), lignes[debut : debut + taille], now, recipients, now)
            for debut in range(0, len(lignes), taille)
        ]
        for lot in lots:
            for ligne in lot.lignes:
                ligne.update(etat=Etat.REMISE.value, lot=lot.id, tentatives=1)
                del ligne["reprise_at"]
        await self._claims.claim_inserted({lot.id: lot.lignes for lot in lots}, session)
        return lots

    def add(self, lot: Lot) -> None:
        self.lots.append(lot)

    def next(self) -> Lot:
        """Raises IndexError when none waits."""
        return self.lots.popleft()

    def take_all(self) -> list[Lot]:
        lots = list(self.lots)
        self.lots.clear()
        return lots

    async def extend(self) -> None:
        """Keeps the lots ours while the provider is slow. Raises what Mongo raises."""
        now = time.monotonic()
        old = [lot for lot in self.lots if not lot.claimed_within(domain.PROLONGATION_S)]
        # When one of the leases is gone, none counts as extended: each lot is then renewed alone when its turn comes.
        if old and await self._claims.extend(lot.id for lot in old):
            for lot in old:
                lot.claimed_at, lot.recipients = now, None


def _within(at: float | None, seconds: float) -> bool:
    return at is not None and time.monotonic() - at < seconds
