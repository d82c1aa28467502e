"""Hands messages over: a queue in memory, N connections that stay open, small claimed lots, marks after.

What a crash can repeat: a lot is claimed before its first MAIL FROM and marked after its last answer, so at most
domain.LOT_MAX messages per connection are in an unknown state when the process dies. Their lease ends, they become
`incertain`, and each is sent once more. Nothing else is ever sent twice.
"""

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from contracts.notifications import EnvoisRemis
from kit.clock import Clock
from kit.errors import Stop, is_outage
from kit.ids import new_id
from kit.logging import get_logger
from kit.outbox import Outbox, Tx
from kit.waiting import jitter, outlast, wait
from services.notifications import domain
from services.notifications.bail import Bail
from services.notifications.canaux.base import Canal, Connexion, Injoignable
from services.notifications.chiffrement import CleInconnue
from services.notifications.contacts import Contact, Contacts
from services.notifications.domain import Cloture, Etat, Genre, Suite
from services.notifications.metriques import ENVOIS, FILE, INJOIGNABLE, PLUS_ANCIEN, REMISE_SECONDS
from services.notifications.remise import Remise
from services.notifications.store import Ligne, Registre

log = get_logger(__name__)

_CAPACITE = 20_000
_BALAYAGE = 500
_BALAYAGE_TOUTES_LES_S = 0.5
_PAUSE_MIN_S, _PAUSE_MAX_S = 0.1, 5.0


@dataclass(frozen=True)
class Vue:
    """What is known, at the moment of a claim, of those whom its rows concern."""

    contacts: Mapping[str, Contact]
    desabonnes: set[str]
    clotures: Mapping[str, Cloture]


class Livreur:
    """The deliverer of one channel in one process."""

    def __init__(
        self,
        canal: Canal,
        registre: Registre,
        contacts: Contacts,
        remise: Remise,
        outbox: Outbox,
        clock: Clock,
        connexions: int,
    ) -> None:
        self._canal = canal
        self._registre = registre
        self._contacts = contacts
        self._remise = remise
        self._outbox = outbox
        self._clock = clock
        self._connexions = connexions
        self._file: deque[Ligne] = deque()
        self._en_main: set[str] = set()
        self._reveil = asyncio.Event()

    def offrir(self, lignes: Iterable[Ligne]) -> int:
        """Takes rows that are stored already and starts at once. What does not fit stays stored, for the sweeper.

        Returns how many were taken.
        """
        pris = 0
        for ligne in lignes:
            if len(self._file) >= _CAPACITE:
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
        tasks = [asyncio.create_task(self._servir(stopping)) for _ in range(self._connexions)]
        arret = asyncio.create_task(stopping.wait())
        # A connection task ends early only by an error: the others finish their lots, then the process ends with it.
        await asyncio.wait([arret, *tasks], return_when=asyncio.FIRST_COMPLETED)
        stopping.set()
        self._reveil.set()
        await asyncio.wait(tasks)
        await asyncio.gather(arret, *tasks)

    async def balayer(self, stopping: asyncio.Event) -> None:
        """Takes up what others left: rows whose deliverer died, failures that are due, claims whose lease is over."""
        calme_depuis = time.monotonic()
        while not stopping.is_set():
            pris = 0
            try:
                if len(self._file) < _CAPACITE:
                    pris = self.offrir(await self._registre.a_reprendre(_BALAYAGE))
                # Last: rows in the open transaction of a killed process block until the database ends that transaction.
                calme = time.monotonic() - calme_depuis > domain.REPIT_S
                if calme and (incertains := await self._registre.rendre_incertains()):
                    log.warning("envois_uncertain", count=incertains)
            except Exception as error:
                if not is_outage(error):
                    raise
                log.warning("envois_sweep_waits", error=type(error).__name__)
                calme_depuis = time.monotonic()
            if pris < _BALAYAGE:
                await wait(stopping, _BALAYAGE_TOUTES_LES_S)

    async def mesurer(self) -> None:
        """Before /metrics is read."""
        FILE.labels(self._canal.nom).set(len(self._file))
        depuis = await self._registre.plus_ancien()
        PLUS_ANCIEN.set((self._clock.now() - depuis).total_seconds() if depuis else 0)

    async def _servir(self, stopping: asyncio.Event) -> None:
        connexion = self._canal.connexion()
        pause = _PAUSE_MIN_S
        # Opened before it is needed: the first alert after a start does not wait for a handshake.
        chaude = True
        try:
            while chaude or await self._du_travail(stopping):
                chaude = False
                if await self._servir_un_lot(connexion):
                    pause = _PAUSE_MIN_S
                else:
                    INJOIGNABLE.labels(self._canal.nom).inc()
                    await wait(stopping, jitter(pause))
                    pause = min(pause * 2, _PAUSE_MAX_S)
        finally:
            await connexion.fermer()

    async def _servir_un_lot(self, connexion: Connexion) -> bool:
        """False when the provider is away. Nothing is claimed before it answers, so that an outage costs no attempt."""
        try:
            await connexion.preparer()
        except Injoignable as error:
            log.warning("provider_away", canal=self._canal.nom, reason=error.motif)
            return False
        lignes = self._prelever()
        return await self._livrer(connexion, lignes) if lignes else True

    async def _du_travail(self, stopping: asyncio.Event) -> bool:
        while not self._file and not stopping.is_set():
            self._reveil.clear()
            await self._reveil.wait()
        return not stopping.is_set()

    def _prelever(self) -> list[Ligne]:
        combien = domain.taille_lot(len(self._file), self._connexions)
        return [self._file.popleft() for _ in range(min(combien, len(self._file)))]

    async def _livrer(self, connexion: Connexion, lignes: Sequence[Ligne]) -> bool:
        """Claims, hands over, marks. False when the provider went away meanwhile."""
        lot = new_id()
        async with Bail(self._registre, lot, lignes) as bail:
            prise = asyncio.gather(outlast(bail.prendre), self._regarder(lignes), return_exceptions=True)
            # While the database works: the message is compiled.
            await asyncio.sleep(0)
            self._remise.preparer(lignes)
            prises, vue = await prise
            if isinstance(prises, BaseException):
                raise prises
            if isinstance(vue, BaseException):
                await self._rendre(lot, prises)
                if isinstance(vue, CleInconnue):
                    raise Stop(f"an address cannot be decrypted: {vue}") from vue
                raise vue
            suites = await self._remettre(connexion, prises, vue, bail)
            await self._marquer(lot, prises, suites)
        self._en_main.difference_update(ligne["_id"] for ligne in lignes)
        return not any(suite.rendue for suite in suites.values())

    async def _remettre(self, connexion: Connexion, prises: Sequence[Ligne], vue: Vue, bail: Bail) -> dict[str, Suite]:
        """Hands over one after the other; once the provider or the lease is gone, the rest is given back."""
        suites: dict[str, Suite] = {}
        coupee = False
        for ligne in prises:
            if coupee or not bail.tenu():
                suites[ligne["_id"]] = domain.non_commencee(self._clock.now())
                continue
            suite = self._dispense(ligne, vue)
            if suite is None:
                with REMISE_SECONDS.labels(self._canal.nom).time():
                    suite = await self._remise.remettre(connexion, ligne, vue.contacts.get(ligne["compte_id"]))
                coupee = suite.rendue
            suites[ligne["_id"]] = suite
        return suites

    async def _regarder(self, lignes: Sequence[Ligne]) -> Vue:
        contacts, desabonnes, clotures = await asyncio.gather(
            outlast(lambda: self._contacts.trouver(ligne["compte_id"] for ligne in lignes)),
            outlast(lambda: self._registre.desabonnes(p for ligne in lignes if (p := ligne.get("profil_id")))),
            outlast(lambda: self._registre.clotures(ligne["annonce_id"] for ligne in lignes if _est_alerte(ligne))),
        )
        return Vue(contacts, desabonnes, clotures)

    def _dispense(self, ligne: Ligne, vue: Vue) -> Suite | None:
        """Why this row is not to be sent after all; None when it is."""
        genre = Genre(ligne["genre"])
        contact = vue.contacts.get(ligne["compte_id"])
        cloture = vue.clotures.get(ligne.get("annonce_id", ""))
        return domain.dispense(
            genre,
            desabonne=ligne.get("profil_id") in vue.desabonnes,
            close=genre is Genre.ALERTE and cloture is not None and cloture.couvre(ligne["version"]),
            joignable="secret" in ligne or (contact is not None and contact.email is not None),
            accord=contact is not None and self._canal.nom in contact.accords,
            age=self._clock.now() - ligne["cree_at"],
        )

    async def _rendre(self, lot: str, prises: Sequence[Ligne]) -> None:
        now = self._clock.now()
        await self._marquer(lot, prises, {ligne["_id"]: domain.non_commencee(now) for ligne in prises})

    async def _marquer(self, lot: str, prises: Sequence[Ligne], suites: Mapping[str, Suite]) -> None:
        if not suites:
            return
        par_annonce: dict[str, list[str]] = defaultdict(list)
        for ligne in prises:
            if suites[ligne["_id"]].etat is Etat.REMIS and _est_alerte(ligne):
                par_annonce[ligne["annonce_id"]].append(ligne["profil_id"])
        now = self._clock.now()

        async def work(tx: Tx) -> None:
            if not await self._registre.marquer(lot, suites, tx.session):
                return
            for annonce_id, profils in par_annonce.items():
                event = EnvoisRemis(
                    lot_id=lot, annonce_id=annonce_id, canal=self._canal.nom, profils=profils, remis_at=now
                )
                tx.emit(event)

        await outlast(self._outbox.run, work)
        for suite in suites.values():
            ENVOIS.labels(self._canal.nom, suite.etat.value).inc()


def _est_alerte(ligne: Ligne) -> bool:
    return bool(ligne["genre"] == Genre.ALERTE)
