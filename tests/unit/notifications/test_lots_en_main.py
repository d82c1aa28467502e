"""While the outcome of a lot is written, the next one leaves, where what a crash then leaves unknown is sent again."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from contracts.notifications import Canal
from kit.clock import SystemClock
from services.notifications import domain
from services.notifications.canaux.base import Recu
from services.notifications.contacts.store import Contact
from services.notifications.delivery.deliverer import Deliverer
from services.notifications.domain import Genre, Suite
from services.notifications.planning.channel_rules import SansRegles
from services.notifications.registre.rows import Ligne

LOTS = 4


class Lent:
    """A channel that takes everything, before a database whose commits wait until it is told to go on."""

    def __init__(self, nom: Canal) -> None:
        self.nom = nom
        self.clock = SystemClock()
        self.remis: list[str] = []
        self.marques = 0
        self.delais: list[float] = []
        self.continuer = asyncio.Semaphore(0)

    # The channel and its one connection.
    def connexion(self) -> "Lent":
        return self

    async def preparer(self) -> None: ...

    async def fermer(self) -> None: ...

    # The hand-off.
    async def remettre(
        self, connexion: Any, lignes: Sequence[Ligne], contacts: Any, tenu: Callable[[], bool]
    ) -> dict[str, Suite]:
        self.remis += [ligne["_id"] for ligne in lignes]
        return {ligne["_id"]: domain.apres_remise(Recu("relais", None)) for ligne in lignes}

    # The ledger: every row that is claimed is free, and every mark is written.
    db = property(lambda self: self)
    envois = property(lambda self: self)
    baux = property(lambda self: self)
    session = None

    async def transaction(self, work: Callable[[Any], Awaitable[int]]) -> int:
        return await work(None)

    async def bulk_write(self, updates: Sequence[Any], **autres: Any) -> Any:
        return SimpleNamespace(modified_count=sum(len(_ids(update._filter)) for update in updates))

    async def delete_many(self, filtre: Mapping[str, Any], session: Any) -> None:
        """A mark ends the leases of its lots."""
        self.marques += len(_ids(filtre))

    async def run(self, work: Callable[[Any], Awaitable[None]], *, within_s: float) -> None:
        await self.continuer.acquire()
        self.delais.append(within_s)
        await work(self)

    # Those who are written to.
    async def trouver(self, comptes: Sequence[str]) -> dict[str, Contact]:
        return {id_: Contact(id_, {self.nom: "x"}, frozenset({self.nom}), frozenset()) for id_ in comptes}

    async def desabonnes(self, profils: Any) -> set[str]:
        return set()

    async def clotures(self, annonces: Any) -> dict[str, Any]:
        return {}


def _ids(filtre: Mapping[str, Any]) -> Sequence[str]:
    ids = filtre["_id"]
    return ids["$in"] if isinstance(ids, dict) else [ids]


class SansMessage:
    """Hands over what it is given, and composes nothing."""

    def __init__(self, lent: Lent) -> None:
        self.remettre = lent.remettre

    def preparer(self, lignes: Sequence[Ligne]) -> None: ...


def lignes(canal: Canal, clock: SystemClock) -> list[Ligne]:
    return [
        {
            "_id": f"{numero:03d}",
            "genre": Genre.CODE.value,
            "canal": canal.value,
            "compte_id": f"c{numero}",
            "tentatives": 0,
            "cree_at": clock.now(),
        }
        for numero in range(LOTS * domain.LOT_MAX[canal])
    ]


async def en_repos() -> None:
    """Lets everything run that can."""
    for _ in range(200):
        await asyncio.sleep(0)


@pytest.mark.parametrize(("canal", "en_main"), [(Canal.EMAIL, 2), (Canal.SMS, 1)])
async def test_il_n_est_jamais_dehors_plus_qu_un_arret_ne_peut_laisser_inconnu(canal: Canal, en_main: int) -> None:
    lent: Any = Lent(canal)
    deliverer = Deliverer(lent, lent, lent, lent, SansMessage(lent), lent, lent.clock, 1, SansRegles())  # type: ignore[arg-type]  # it only hands over
    stopping = asyncio.Event()
    task = asyncio.create_task(deliverer.run(stopping))
    deliverer.take(lignes(canal, lent.clock))
    await en_repos()
    lot = domain.LOT_MAX[canal]
    assert len(lent.remis) == en_main * lot == domain.lots_par_connexion(canal) * lot
    while len(lent.remis) < LOTS * lot:
        avant = len(lent.remis)
        lent.continuer.release()
        await en_repos()
        # A mark, which may be that of several lots, lets as many follow.
        assert avant < len(lent.remis) <= (lent.marques + en_main) * lot
    for _ in range(LOTS):
        lent.continuer.release()
    await en_repos()
    assert lent.marques == LOTS
    # Told at once when nothing follows; what is told while more leaves may wait for the next.
    assert lent.delais[0] > 0
    assert lent.delais[-1] == 0
    assert sorted(lent.remis) == [ligne["_id"] for ligne in lignes(canal, lent.clock)]
    stopping.set()
    await task
