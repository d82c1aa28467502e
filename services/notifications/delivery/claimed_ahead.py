"""Mails that a deliverer holds claimed before their turn: claimed by the transaction that inserts them, which saves the
claim later, and prolonged while they wait."""

import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from contracts.notifications import Canal
from kit.ids import new_id
from kit.mongo import Session
from services.notifications import domain
from services.notifications.contacts.store import Contact
from services.notifications.delivery.claims import Prises
from services.notifications.domain import Cloture, Etat
from services.notifications.registre.rows import Ligne


@dataclass(frozen=True)
class Regard:
    """What is known of those whom rows concern, and of their annonces; perhaps of others too."""

    contacts: Mapping[str, Contact]
    desabonnes: set[str]
    clotures: Mapping[str, Cloture]


@dataclass
class Prise:
    """Rows of one lot that wait for a connection. `pris_at`: when they were claimed (monotonic seconds); None: they are
    not yet. `regard`: what was known then, its unsubscriptions and closings as of `vu_at`."""

    lot: str
    lignes: Sequence[Ligne]
    pris_at: float | None = None
    regard: Regard | None = None
    vu_at: float | None = None

    def plus_jeune_que(self, secondes: float) -> bool:
        return _depuis_moins_de(self.pris_at, secondes)

    def vue_depuis(self, secondes: float) -> bool:
        """Whether somebody looked in the last `secondes`."""
        return _depuis_moins_de(self.vu_at, secondes)


class Avance:
    def __init__(self, canal: Canal, prises: Prises) -> None:
        self._canal = canal
        self._en_base = prises
        self.prises: deque[Prise] = deque()

    @property
    def lignes(self) -> list[Ligne]:
        return [ligne for prise in self.prises for ligne in prise.lignes]

    async def reserver(
        self, lignes: Sequence[Ligne], regard: Regard | None, connexions: int, session: Session
    ) -> list[Prise]:
        """Claims rows that are about to be inserted in the same transaction, in lots: they are this process's from its
        commit on, when `tenir` takes them. None of a channel on which an unknown outcome is not sent again."""
        attendent = len(self.lignes) + len(lignes)
        if self._canal not in domain.RENVOYES or attendent > domain.AVANCE_MAX:
            return []
        pris_at = time.monotonic()
        taille = domain.taille_lot(self._canal, attendent, connexions)
        prises = [
            Prise(new_id(), lignes[debut : debut + taille], pris_at, regard, pris_at)
            for debut in range(0, len(lignes), taille)
        ]
        for prise in prises:
            for ligne in prise.lignes:
                ligne.update(etat=Etat.REMISE.value, lot=prise.lot, tentatives=1)
                del ligne["reprise_at"]
        await self._en_base.inscrire(self._canal, {prise.lot: prise.lignes for prise in prises}, session)
        return prises

    def tenir(self, prise: Prise) -> None:
        self.prises.append(prise)

    def prelever(self) -> Prise:
        """The next one. Raises IndexError."""
        return self.prises.popleft()

    def vider(self) -> list[Prise]:
        prises = list(self.prises)
        self.prises.clear()
        return prises

    async def prolonger(self) -> None:
        """What waits for its turn stays ours while the provider is slow. Raises what Mongo raises."""
        now = time.monotonic()
        vieilles = [prise for prise in self.prises if not prise.plus_jeune_que(domain.PROLONGATION_S)]
        # Where a lot has become somebody else's, each is looked at when its turn comes.
        if vieilles and await self._en_base.prolonger(prise.lot for prise in vieilles):
            for prise in vieilles:
                prise.pris_at, prise.regard = now, None


def _depuis_moins_de(at: float | None, secondes: float) -> bool:
    return at is not None and time.monotonic() - at < secondes
