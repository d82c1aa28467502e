"""Hands messages over: a queue in memory, N connections that stay open, small claimed lots, marks after.

What a crash can repeat: a lot is claimed before its first MAIL FROM and marked after its last answer, so at most
domain.LOT_MAX messages of each lot in hand may be out without a mark when the process dies. A connection has
domain.lots_par_connexion of them. The lease ends, the lot becomes `incertain`; mails are sent once more, SMS are not.
Nothing else is ever sent twice.
"""

import asyncio
import datetime as dt
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from opentelemetry.trace import SpanKind

from kit import telemetry
from kit.clock import Clock
from kit.errors import Stop, is_outage
from kit.ids import new_id
from kit.logging import get_logger
from kit.mongo import Session
from kit.outbox import Outbox
from kit.waiting import jitter, outlast, wait
from services.notifications import domain
from services.notifications.canaux.base import Canal, Connexion, Injoignable
from services.notifications.canaux.push.canal import ABONNEMENT_PERDU
from services.notifications.contacts.encryption import CleInconnue
from services.notifications.contacts.store import Contacts
from services.notifications.delivery.claimed_ahead import Avance, Prise, Regard
from services.notifications.delivery.claims import Prises
from services.notifications.delivery.guichet import Guichet, Marque
from services.notifications.delivery.handoff import Remise
from services.notifications.delivery.last_look import Regards
from services.notifications.delivery.lease import Bail
from services.notifications.domain import Etat, Genre, Motif, Suite
from services.notifications.metrics import (
    ENVOIS,
    FILE,
    INJOIGNABLE,
    PLUS_ANCIEN,
    REMISE_SECONDS,
    compter_non_envoyes,
)
from services.notifications.planning.channel_rules import Regles
from services.notifications.registre.rows import Ligne
from services.notifications.registre.store import Registre

log = get_logger(__name__)

_CAPACITE = 20_000
_PAUSE_MIN_S, _PAUSE_MAX_S = 0.1, 5.0


@dataclass(frozen=True)
class Vue:
    """What decides, at the hand-off, about the rows of a lot. `sature`: nothing more may be spent. `at`: now."""

    regard: Regard
    sature: bool
    at: dt.datetime


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


class Livreur:
    """The deliverer of one channel in one process."""

    def __init__(
        self,
        canal: Canal,
        registre: Registre,
        prises: Prises,
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
        self._guichet = Guichet(canal.nom, prises, outbox, clock, regles, self._assez, self._encore)
        self._clock = clock
        self._connexions = connexions
        self._regles = regles
        self._file: deque[Ligne] = deque()
        self._avance = Avance(canal.nom, prises)
        self._regards = Regards(registre, contacts, self._avance)
        self._en_main: set[str] = set()
        self._en_remise = 0
        self._reveil = asyncio.Event()

    async def reserver(self, lignes: Sequence[Ligne], regard: Regard | None, session: Session) -> list[Prise]:
        """Claims rows that are about to be inserted in the same transaction, where the channel allows it; once
        committed they go to `tenir`."""
        return await self._avance.reserver(lignes, regard, self._connexions, session)

    def tenir(self, prises: Iterable[Prise]) -> None:
        for prise in prises:
            self._en_main.update(ligne["_id"] for ligne in prise.lignes)
            self._avance.tenir(prise)
        self._reveil.set()

    def offrir(self, lignes: Iterable[Ligne]) -> int:
        """Takes rows that are stored already and starts at once. What does not fit stays stored, for the sweeper.

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
        await self._rendre_l_avance()
        await asyncio.gather(arret, *tasks)

    async def reprendre(self, limite: int, depuis: dt.datetime | None) -> Repris:
        """Takes up what others left and is due since `depuis` (None: ever), at most `limite` rows of it."""
        await self._avance.prolonger()
        if self._plein:
            return Repris(0, reste=True)
        lignes, reste = await self._registre.a_reprendre(self.nom, limite, self._en_main, depuis)
        nombre = self.offrir(lignes)
        return Repris(nombre, reste or nombre < len(lignes))

    @property
    def _plein(self) -> bool:
        return len(self._file) >= _CAPACITE

    async def mesurer(self) -> None:
        """Before /metrics is read."""
        avance = self._avance.lignes
        FILE.labels(self.nom).set(len(self._file) + len(avance))
        depuis = await self._registre.plus_ancien(self.nom)
        # What is held here is due since it was made, and its claim hides that.
        dus = [ligne["cree_at"] for ligne in avance] + ([depuis] if depuis else [])
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
                prise = self._prelever()
                if not prise.lignes:
                    return True
                bail = await en_main.enter_async_context(Bail(self._guichet, prise.lot, prise.lignes, prise.pris_at))
                self._en_remise += 1
                try:
                    prises, suites = await self._livrer(poste.connexion, prise, bail)
                finally:
                    self._en_remise -= 1
            await self._marquer(prise.lot, prises, suites)
        self._en_main.difference_update(ligne["_id"] for ligne in prise.lignes)
        return not suites or any(suite.motif not in domain.SANS_FOURNISSEUR for suite in suites.values())

    async def _du_travail(self, stopping: asyncio.Event) -> bool:
        while not self._encore() and not stopping.is_set():
            self._reveil.clear()
            await self._reveil.wait()
        return not stopping.is_set()

    def _encore(self) -> bool:
        """Whether messages wait to be handed over."""
        return bool(self._file or self._avance.prises)

    def _assez(self, lots: int) -> bool:
        """Whether so many lots are marked now, or together with others that are being handed over: no connection
        stands still for it, since each has another lot."""
        return lots >= self._connexions * (domain.lots_par_connexion(self.nom) - 1) or not self._en_remise

    def _prelever(self) -> Prise:
        if self._avance.prises:
            return self._avance.prelever()
        combien = domain.taille_lot(self.nom, len(self._file), self._connexions)
        return Prise(new_id(), [self._file.popleft() for _ in range(min(combien, len(self._file)))])

    async def _livrer(self, connexion: Connexion, prise: Prise, bail: Bail) -> tuple[list[Ligne], dict[str, Suite]]:
        """The rows that were ours to hand over, and what became of each."""
        prendre = asyncio.gather(outlast(bail.prendre), self._regarder(prise), return_exceptions=True)
        # While the database works: the message is compiled.
        await asyncio.sleep(0)
        self._remise.preparer(prise.lignes)
        prises, vue = await prendre
        if isinstance(prises, BaseException):
            raise prises
        if isinstance(vue, BaseException):
            await self._rendre(prise.lot, prises)
            if isinstance(vue, CleInconnue):
                raise Stop(f"an address cannot be decrypted: {vue}") from vue
            raise vue
        return prises, await self._remettre(connexion, prises, vue, bail)

    async def _remettre(self, connexion: Connexion, prises: Sequence[Ligne], vue: Vue, bail: Bail) -> dict[str, Suite]:
        """What is not to be sent is left out; the rest goes to the channel in one piece."""
        dispenses = {ligne["_id"]: self._dispense(ligne, vue) for ligne in prises}
        suites = {id_: suite for id_, suite in dispenses.items() if suite is not None}
        a_remettre = [ligne for ligne in prises if ligne["_id"] not in suites]
        causes = [ligne.get("cause", {}) for ligne in a_remettre]
        quoi = {"canal": self.nom.value, "messages": len(a_remettre)}
        with (
            REMISE_SECONDS.labels(self.nom).time(),
            telemetry.spans(f"remise {self.nom}", causes, kind=SpanKind.CLIENT, attributes=quoi),
        ):
            return suites | await self._remise.remettre(connexion, a_remettre, vue.regard.contacts, bail.tenu)

    async def _regarder(self, prise: Prise) -> Vue:
        regard, sature = await asyncio.gather(outlast(self._regards.voir, prise), outlast(self._regles.sature))
        return Vue(regard, sature, self._clock.now())

    async def _rendre_l_avance(self) -> None:
        """At the end: others take up at once what waited here. Without the database it is theirs after the lease."""
        now = self._clock.now()
        marques = [
            Marque(prise.lot, prise.lignes, {ligne["_id"]: domain.rendue(now) for ligne in prise.lignes})
            for prise in self._avance.vider()
        ]
        for issue in await asyncio.gather(*map(self._guichet.marquer, marques), return_exceptions=True):
            if isinstance(issue, BaseException) and not is_outage(issue):
                raise issue

    def _dispense(self, ligne: Ligne, vue: Vue) -> Suite | None:
        """Why this row is not to be sent after all, or not yet; None when it is."""
        genre, canal, now = Genre(ligne["genre"]), self.nom, vue.at
        contact = vue.regard.contacts.get(ligne["compte_id"])
        cloture = vue.regard.clotures.get(ligne.get("annonce_id", ""))
        if vue.sature and genre is not Genre.STOP_CONFIRME:
            return Suite(Etat.ANNULEE, Motif.PLAFOND_SMS)
        oppose = contact is not None and canal in contact.opposes and genre in domain.A_HEURES_OUVRABLES
        return domain.dispense(
            genre,
            desabonne=oppose or ligne.get("profil_id") in vue.regard.desabonnes,
            declinee=contact is not None and ligne.get("annonce_id") in contact.choix.refus,
            close=genre is Genre.ALERTE and cloture is not None and cloture.couvre(ligne["version"]),
            joignable="secret" in ligne or (contact is not None and canal in contact.adresses),
            accord=contact is not None and canal in contact.accords,
            pause=contact is not None and contact.choix.en_pause(now),
            age=now - ligne["cree_at"],
            ouvert_at=self._regles.ouverture(contact.choix if contact else None, now),
        )

    async def _rendre(self, lot: str, prises: Sequence[Ligne]) -> None:
        now = self._clock.now()
        await self._marquer(lot, prises, {ligne["_id"]: domain.non_commencee(now) for ligne in prises})

    async def _marquer(self, lot: str, prises: Sequence[Ligne], suites: Mapping[str, Suite]) -> None:
        if not suites:
            return
        await outlast(self._guichet.marquer, Marque(lot, prises, suites))
        await self._oublier_navigateurs(prises, suites)
        for etat, nombre in Counter(suite.etat for suite in suites.values()).items():
            ENVOIS.labels(self.nom, etat.value).inc(nombre)
        compter_non_envoyes((suite.etat, suite.motif) for suite in suites.values())

    async def _oublier_navigateurs(self, prises: Sequence[Ligne], suites: Mapping[str, Suite]) -> None:
        """Whose subscription is over: nothing goes there any more, until they subscribe again."""
        for ligne in prises:
            if suites[ligne["_id"]].motif in ABONNEMENT_PERDU:
                await outlast(self._contacts.oublier_navigateur, ligne["compte_id"])
