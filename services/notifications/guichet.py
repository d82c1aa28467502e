"""The database as the connections of one deliverer see it: what several of them ask at the same time goes in one round
trip. What each may rely on stays the same: claimed before its hand-off, marked after."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from contracts.notifications import Canal, EnvoisRemis
from kit.outbox import Outbox, Tx
from services.notifications.domain import Etat, Suite
from services.notifications.ensemble import Ensemble
from services.notifications.prises import est_alerte
from services.notifications.regles import Regles
from services.notifications.store import Ligne, Registre


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
        self, canal: Canal, registre: Registre, outbox: Outbox, regles: Regles, assez: Callable[[int], bool]
    ) -> None:
        """`assez`: of a number of lots, whether they are marked now or together with others that are about to end."""
        self._canal = canal
        self._registre = registre
        self._outbox = outbox
        self._regles = regles
        self._prises = Ensemble(self._prendre)
        self._marques = Ensemble(self._marquer, assez)

    async def prendre(self, lignes: Sequence[Ligne], lot: str) -> list[Ligne]:
        """The rows of a lot that are ours from now on."""
        return (await self._prises((lot, lignes)))[lot]

    async def prolonger(self, lot: str, envoi_ids: Sequence[str]) -> None:
        """As Registre.prolonger."""
        await self._registre.prolonger(lot, envoi_ids)

    async def renouveler(self, lot: str, envoi_ids: Sequence[str]) -> list[Ligne]:
        """As Registre.renouveler."""
        return await self._registre.renouveler(lot, envoi_ids)

    async def marquer(self, marque: Marque) -> None:
        """Committed with its events when this returns; a lot that was marked before is left as it is."""
        await self._marques(marque)

    async def _prendre(self, demandes: Sequence[tuple[str, Sequence[Ligne]]]) -> dict[str, list[Ligne]]:
        return await self._registre.prendre(dict(demandes))

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
            ecrites = await self._registre.marquer(lots, tx.session)
            if len(marques) > 1 and ecrites < sum(map(len, lots.values())):
                raise _Incomplet
            if not ecrites:
                return
            recus = [suite.recu for suites in lots.values() for suite in suites.values() if suite.recu is not None]
            if parties := sum(recu.parties for recu in recus):
                await self._regles.compter(parties, tx.session)
            for event in self._remis(marques):
                tx.emit(event)

        await self._outbox.run(work)

    def _remis(self, marques: Sequence[Marque]) -> list[EnvoisRemis]:
        """One event per annonce; `lot_id` is that of one of the lots, which names no other event of this annonce."""
        par_annonce: dict[str, list[str]] = defaultdict(list)
        lots: dict[str, str] = {}
        for marque in marques:
            for ligne in marque.prises:
                if marque.suites[ligne["_id"]].etat is Etat.REMIS and est_alerte(ligne):
                    lots.setdefault(ligne["annonce_id"], marque.lot)
                    par_annonce[ligne["annonce_id"]].append(ligne["profil_id"])
        now = self._registre.clock.now()
        return [
            EnvoisRemis(
                lot_id=lots[annonce_id], annonce_id=annonce_id, canal=self._canal, profils=profils, remis_at=now
            )
            for annonce_id, profils in par_annonce.items()
        ]
