"""The database as the connections of one deliverer see it: what several of them ask at the same time goes in one round
trip. What each may rely on stays the same: claimed before its hand-off, marked after."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from contracts.notifications import Canal, EnvoisRemis
from kit.batching import Ensemble
from kit.clock import Clock
from kit.outbox import Outbox, Tx
from services.notifications.delivery.claims import Prises
from services.notifications.domain import Etat, Suite
from services.notifications.planning.channel_rules import Regles
from services.notifications.registre.rows import Ligne, est_alerte

_ANNONCE_SOUS_S = 0.2


@dataclass(frozen=True)
class Marque:
    """What became of the rows of a lot."""

    lot: str
    prises: Sequence[Ligne]
    suites: Mapping[str, Suite]


class _Incomplet(Exception):
    """Not every row was written: one of the lots has been marked before, or lost its lease."""


class Guichet:
    def __init__(
        self,
        canal: Canal,
        prises: Prises,
        outbox: Outbox,
        clock: Clock,
        regles: Regles,
        assez: Callable[[int], bool],
        encore: Callable[[], bool],
    ) -> None:
        """`assez`: of a number of lots, whether they are marked now or together with others that are about to end.
        `encore`: whether more messages wait to be handed over."""
        self._canal = canal
        self._en_base = prises
        self._outbox = outbox
        self._clock = clock
        self._regles = regles
        self._encore = encore
        self._prises = Ensemble(self._prendre)
        self._marques = Ensemble(self._marquer, assez)

    async def prendre(self, lignes: Sequence[Ligne], lot: str) -> list[Ligne]:
        """The rows of a lot that are ours from now on."""
        return (await self._prises((lot, lignes)))[lot]

    async def prolonger(self, lots: Iterable[str]) -> bool:
        """As Prises.prolonger."""
        return await self._en_base.prolonger(lots)

    async def renouveler(self, lot: str) -> list[Ligne]:
        """As Prises.renouveler."""
        return await self._en_base.renouveler(lot)

    async def marquer(self, marque: Marque) -> None:
        """Committed with its events when this returns; a lot that was marked before is left as it is."""
        await self._marques(marque)

    async def _prendre(self, demandes: Sequence[tuple[str, Sequence[Ligne]]]) -> dict[str, list[Ligne]]:
        return await self._en_base.prendre(self._canal, dict(demandes))

    async def _marquer(self, marques: Sequence[Marque]) -> None:
        try:
            await self._valider(marques)
        except _Incomplet:
            # Which of them it is, each tells alone.
            for marque in marques:
                await self._valider([marque])

    async def _valider(self, marques: Sequence[Marque]) -> None:
        lots = {marque.lot: marque.suites for marque in marques}

        async def work(tx: Tx) -> None:
            ecrites = await self._en_base.marquer(lots, tx.session)
            if len(marques) > 1 and ecrites < sum(map(len, lots.values())):
                raise _Incomplet
            if not ecrites:
                return
            remises = [suite for suites in lots.values() for suite in suites.values() if suite.recu is not None]
            if parties := sum(suite.recu.parties for suite in remises if suite.recu is not None):
                await self._regles.compter(parties, sum(suite.centimes for suite in remises), tx.session)
            for event, cause in self._remis(marques):
                tx.emit(event, cause=cause)

        # While more is handed over, what was told of it can wait for the next: a need of a city is told in few words.
        await self._outbox.run(work, within_s=_ANNONCE_SOUS_S if self._encore() else 0.0)

    def _remis(self, marques: Sequence[Marque]) -> list[tuple[EnvoisRemis, Mapping[str, str] | None]]:
        """One event per annonce, and its trace; `lot_id` is that of one of the lots, which names no other event of this
        annonce."""
        par_annonce: dict[str, list[str]] = defaultdict(list)
        lots: dict[str, str] = {}
        causes: dict[str, Mapping[str, str]] = {}
        for marque in marques:
            for ligne in marque.prises:
                if marque.suites[ligne["_id"]].etat is Etat.REMIS and est_alerte(ligne):
                    lots.setdefault(ligne["annonce_id"], marque.lot)
                    par_annonce[ligne["annonce_id"]].append(ligne["profil_id"])
                    if "cause" in ligne:
                        causes.setdefault(ligne["annonce_id"], ligne["cause"])
        now = self._clock.now()
        return [
            (
                EnvoisRemis(
                    lot_id=lots[annonce_id], annonce_id=annonce_id, canal=self._canal, profils=profils, remis_at=now
                ),
                causes.get(annonce_id),
            )
            for annonce_id, profils in par_annonce.items()
        ]
