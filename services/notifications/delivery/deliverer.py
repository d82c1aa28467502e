"""Hands messages over: a queue in memory, N connections that stay open, small claimed lots, marks after.

What a crash can repeat: a lot is claimed before its first MAIL FROM and marked after its last answer, so at most
domain.LOT_MAX messages of each lot in hand may be out without a mark when the process dies. A connection has
domain.lots_par_connexion of them. The lease ends, the lot becomes `incertain`; mails are sent once more, SMS are not.
Nothing else is ever sent twice.
"""

import asyncio
import datetime as dt
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from opentelemetry.trace import SpanKind

from kit import telemetry
from kit.clock import Clock
from kit.database.mongo import Mongo, Session
from kit.errors import Stop, is_outage
from kit.ids import new_id
from kit.logging import get_logger
from kit.messaging.outbox import Outbox
from kit.waiting import jitter, outlast, wait
from services.notifications import domain
from services.notifications.canaux.base import Canal, Connexion, Injoignable
from services.notifications.canaux.push.canal import ABONNEMENT_PERDU
from services.notifications.contacts.encryption import CleInconnue
from services.notifications.contacts.store import Contacts
from services.notifications.delivery.claimed_ahead import ClaimedAhead, Lot
from services.notifications.delivery.claims import Claims
from services.notifications.delivery.handoff import Remise
from services.notifications.delivery.last_look import LastLook, View
from services.notifications.delivery.lease import Lease
from services.notifications.delivery.marks import Mark
from services.notifications.domain import Suite
from services.notifications.metrics import (
    ENVOIS,
    FILE,
    INJOIGNABLE,
    PLUS_ANCIEN,
    REMISE_SECONDS,
    compter_non_envoyes,
)
from services.notifications.planning.channel_rules import Regles
from services.notifications.registre.recipients import Recipients
from services.notifications.registre.rows import Ligne
from services.notifications.registre.store import Registre

log = get_logger(__name__)

_CAPACITE = 20_000
_PAUSE_MIN_S, _PAUSE_MAX_S = 0.1, 5.0


@dataclass(frozen=True)
class Poste:
    """A connection, and whose turn it is: while the outcome of one lot is written, the next one is handed over."""

    connexion: Connexion
    libre: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(frozen=True)
class Repris:
    """How many rows were taken up, and whether some that are due may be left."""

    nombre: int
    reste: bool


class Deliverer:
    """The deliverer of one channel in one process."""

    def __init__(
        self,
        canal: Canal,
        registre: Registre,
        mongo: Mongo,
        contacts: Contacts,
        remise: Remise,
        outbox: Outbox,
        clock: Clock,
        connexions: int,
        regles: Regles,
    ) -> None:
        self.nom = canal.nom
        self._canal = canal
        self._registre = registre
        self._contacts = contacts
        self._remise = remise
        self._claims = Claims(canal.nom, mongo, outbox, clock, regles, self._enough, self._more)
        self._clock = clock
        self._connexions = connexions
        self._file: deque[Ligne] = deque()
        self._ahead = ClaimedAhead(canal.nom, self._claims)
        self._last_look = LastLook(canal.nom, registre, contacts, self._ahead, regles, clock)
        self._en_main: set[str] = set()
        self._en_remise = 0
        self._reveil = asyncio.Event()

    async def claim_ahead(self, lignes: Sequence[Ligne], recipients: Recipients | None, session: Session) -> list[Lot]:
        """Claims rows that this transaction is about to insert, where the channel allows it; after its commit the lots
        go to `take_claimed`."""
        return await self._ahead.claim(lignes, recipients, self._connexions, session)

    def take_claimed(self, lots: Iterable[Lot]) -> None:
        for lot in lots:
            self._en_main.update(ligne["_id"] for ligne in lot.lignes)
            self._ahead.add(lot)
        self._reveil.set()

    def take(self, lignes: Iterable[Ligne]) -> int:
        """Takes rows that are stored, and begins at once. What does not fit stays stored, for the sweeper.

        Returns how many were taken.
        """
        pris = 0
        for ligne in lignes:
            if self._plein:
                break
            if ligne["_id"] not in self._en_main:
                self._en_main.add(ligne["_id"])
                self._file.append(ligne)
                pris += 1
        if pris:
            self._reveil.set()
        return pris

    async def run(self, stopping: asyncio.Event) -> None:
        """Delivers until `stopping`, then finishes the lots in hand; another process takes up what still waits."""
        postes = [Poste(self._canal.connexion()) for _ in range(self._connexions)]
        lots = domain.lots_par_connexion(self.nom)
        tasks = [asyncio.create_task(self._servir(poste, stopping)) for poste in postes for _ in range(lots)]
        arret = asyncio.create_task(stopping.wait())
        # A task ends early only by an error: the others finish their lots, then the process ends with it.
        await asyncio.wait([arret, *tasks], return_when=asyncio.FIRST_COMPLETED)
        stopping.set()
        self._reveil.set()
        await asyncio.wait(tasks)
        await asyncio.gather(*(poste.connexion.fermer() for poste in postes))
        await self._give_back_ahead()
        await asyncio.gather(arret, *tasks)

    async def give_up_expired(self) -> int:
        """As Claims.give_up_expired."""
        return await self._claims.give_up_expired()

    async def take_due(self, limite: int, depuis: dt.datetime | None) -> Repris:
        """Takes rows that others left and that are due since `depuis` (None: ever), at most `limite` of them."""
        await self._ahead.extend()
        if self._plein:
            return Repris(0, reste=True)
        lignes, reste = await self._registre.a_reprendre(self.nom, limite, self._en_main, depuis)
        nombre = self.take(lignes)
        return Repris(nombre, reste or nombre < len(lignes))

    @property
    def _plein(self) -> bool:
        return len(self._file) >= _CAPACITE

    async def mesurer(self) -> None:
        """Before /metrics is read."""
        ahead = self._ahead.lignes
        FILE.labels(self.nom).set(len(self._file) + len(ahead))
        depuis = await self._registre.plus_ancien(self.nom)
        # Rows claimed ahead are due since they were made, but the ledger no longer shows them as waiting.
        dus = [ligne["cree_at"] for ligne in ahead] + ([depuis] if depuis else [])
        age = (self._clock.now() - min(dus)).total_seconds() if dus else 0
        PLUS_ANCIEN.labels(self.nom).set(age)

    async def _servir(self, poste: Poste, stopping: asyncio.Event) -> None:
        pause = _PAUSE_MIN_S
        # Opened before it is needed: the first alert after a start does not wait for a handshake.
        chaude = True
        while chaude or await self._du_travail(stopping):
            chaude = False
            if await self._servir_un_lot(poste):
                pause = _PAUSE_MIN_S
            else:
                INJOIGNABLE.labels(self.nom).inc()
                await wait(stopping, jitter(pause))
                pause = min(pause * 2, _PAUSE_MAX_S)

    async def _servir_un_lot(self, poste: Poste) -> bool:
        """Claims, hands over, marks. False when the provider is away: nothing is claimed before it answers, so that an
        outage costs no attempt."""
        async with AsyncExitStack() as en_main:
            async with poste.libre:
                try:
                    await poste.connexion.preparer()
                except Injoignable as error:
                    log.warning("provider_away", canal=self.nom, reason=error.motif)
                    return False
                lot = self._next_lot()
                if not lot.lignes:
                    return True
                lease = await en_main.enter_async_context(Lease(self._claims, lot))
                self._en_remise += 1
                try:
                    lignes, suites = await self._livrer(poste.connexion, lot, lease)
                finally:
                    self._en_remise -= 1
            await self._mark(Mark(lot.id, lignes, suites))
        self._en_main.difference_update(ligne["_id"] for ligne in lot.lignes)
        return not suites or any(suite.motif not in domain.SANS_FOURNISSEUR for suite in suites.values())

    async def _du_travail(self, stopping: asyncio.Event) -> bool:
        while not self._more() and not stopping.is_set():
            self._reveil.clear()
            await self._reveil.wait()
        return not stopping.is_set()

    def _more(self) -> bool:
        """Whether messages wait to be handed over."""
        return bool(self._file or self._ahead.lots)

    def _enough(self, lots: int) -> bool:
        """Whether so many lots are marked now; otherwise they wait for others that are being handed over. No connection
        stands still meanwhile, because each has another lot."""
        return lots >= self._connexions * (domain.lots_par_connexion(self.nom) - 1) or not self._en_remise

    def _next_lot(self) -> Lot:
        if self._ahead.lots:
            return self._ahead.next()
        combien = domain.taille_lot(self.nom, len(self._file), self._connexions)
        return Lot(new_id(), [self._file.popleft() for _ in range(min(combien, len(self._file)))])

    async def _livrer(self, connexion: Connexion, lot: Lot, lease: Lease) -> tuple[list[Ligne], dict[str, Suite]]:
        """The rows that were ours to hand over, and what became of each."""
        asked = asyncio.gather(outlast(lease.claim), self._last_look.view(lot), return_exceptions=True)
        # The messages are compiled while the database works.
        await asyncio.sleep(0)
        self._remise.preparer(lot.lignes)
        lignes, view = await asked
        if isinstance(lignes, BaseException):
            raise lignes
        if isinstance(view, BaseException):
            now = self._clock.now()
            await self._mark(Mark(lot.id, lignes, {ligne["_id"]: domain.non_commencee(now) for ligne in lignes}))
            if isinstance(view, CleInconnue):
                raise Stop(f"an address cannot be decrypted: {view}") from view
            raise view
        return lignes, await self._remettre(connexion, lignes, view, lease)

    async def _remettre(
        self, connexion: Connexion, lignes: Sequence[Ligne], view: View, lease: Lease
    ) -> dict[str, Suite]:
        """Hands over in one piece what is to be sent; says of the rest why it is not."""
        not_sent = {ligne["_id"]: self._last_look.not_sent(ligne, view) for ligne in lignes}
        suites = {id_: suite for id_, suite in not_sent.items() if suite is not None}
        a_remettre = [ligne for ligne in lignes if ligne["_id"] not in suites]
        causes = [ligne.get("cause", {}) for ligne in a_remettre]
        quoi = {"canal": self.nom.value, "messages": len(a_remettre)}
        with (
            REMISE_SECONDS.labels(self.nom).time(),
            telemetry.spans(f"remise {self.nom}", causes, kind=SpanKind.CLIENT, attributes=quoi),
        ):
            return suites | await self._remise.remettre(connexion, a_remettre, view.recipients.contacts, lease.held)

    async def _give_back_ahead(self) -> None:
        """At the end: others take up at once what waited here, or, without the database, when the lease is over."""
        now = self._clock.now()
        marks = [
            Mark(lot.id, lot.lignes, {ligne["_id"]: domain.rendue(now) for ligne in lot.lignes})
            for lot in self._ahead.take_all()
        ]
        for issue in await asyncio.gather(*map(self._claims.mark, marks), return_exceptions=True):
            if isinstance(issue, BaseException) and not is_outage(issue):
                raise issue

    async def _mark(self, mark: Mark) -> None:
        if not mark.suites:
            return
        await outlast(self._claims.mark, mark)
        await self._forget_browsers(mark)
        for etat, nombre in Counter(suite.etat for suite in mark.suites.values()).items():
            ENVOIS.labels(self.nom, etat.value).inc(nombre)
        compter_non_envoyes((suite.etat, suite.motif) for suite in mark.suites.values())

    async def _forget_browsers(self, mark: Mark) -> None:
        """Forgets the subscriptions that their push service has ended: their people may subscribe again."""
        for ligne in mark.lignes:
            if mark.suites[ligne["_id"]].motif in ABONNEMENT_PERDU:
                await outlast(self._contacts.oublier_navigateur, ligne["compte_id"])
