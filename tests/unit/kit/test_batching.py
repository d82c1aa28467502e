"""What comes while an answer is under way is answered together, never by what was asked before."""

import asyncio
from collections.abc import Sequence

import pytest

from kit.batching import Batch


class Base:
    """Answers when told to; fails for a demand "panne"."""

    def __init__(self) -> None:
        self.vus: list[list[str]] = []
        self.libre = asyncio.Event()

    async def repondre(self, demandes: Sequence[str]) -> int:
        self.vus.append(list(demandes))
        await self.libre.wait()
        if "panne" in demandes:
            raise ConnectionError
        return len(self.vus)


async def test_les_lots_grandissent_avec_la_charge_et_personne_ne_recoit_une_reponse_plus_ancienne() -> None:
    base = Base()
    batch = Batch(base.repondre)
    taches = [asyncio.create_task(batch("a"))]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    taches += [asyncio.create_task(batch(nom)) for nom in "bcd"]
    await asyncio.sleep(0)
    base.libre.set()
    assert await asyncio.gather(*taches) == [1, 2, 2, 2]
    assert base.vus == [["a"], ["b", "c", "d"]]


async def test_une_erreur_est_celle_de_qui_a_demande_ensemble_et_de_personne_apres() -> None:
    base = Base()
    base.libre.set()
    batch = Batch(base.repondre)
    issues = await asyncio.gather(batch("a"), batch("panne"), return_exceptions=True)
    assert [type(issue) for issue in issues] == [ConnectionError, ConnectionError]
    assert await batch("b") == 2


async def test_qui_renonce_n_entraine_personne() -> None:
    base = Base()
    batch = Batch(base.repondre)
    parti, reste = asyncio.create_task(batch("a")), asyncio.create_task(batch("b"))
    await asyncio.sleep(0)
    parti.cancel()
    base.libre.set()
    assert await reste == 1
    with pytest.raises(asyncio.CancelledError):
        await parti


async def test_une_demande_attend_celles_qui_arrivent() -> None:
    base = Base()
    base.libre.set()
    batch = Batch(base.repondre, enough=lambda demandes: demandes >= 3)
    taches = [asyncio.create_task(batch("a")), asyncio.create_task(batch("b"))]
    for _ in range(20):
        await asyncio.sleep(0)
    assert base.vus == []
    taches.append(asyncio.create_task(batch("c")))
    assert await asyncio.gather(*taches) == [1, 1, 1]
    assert base.vus == [["a", "b", "c"]]


async def test_une_demande_que_personne_ne_rejoint_a_sa_reponse() -> None:
    base = Base()
    base.libre.set()
    assert await Batch(base.repondre, enough=lambda demandes: False)("a") == 1
