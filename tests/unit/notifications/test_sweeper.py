"""The sweeper looks at what became due a moment ago, and at everything often enough to leave nobody behind."""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

import pytest

from contracts.notifications import Canal
from services.notifications import domain
from services.notifications.delivery import sweeper
from services.notifications.delivery.deliverer import Repris
from services.notifications.delivery.sweeper import Sweeper

NOW = dt.datetime(2026, 11, 28, 12, tzinfo=dt.UTC)
TOUT = None
RIEN_DE_PLUS = Repris(0, reste=False)


@dataclass
class Poste:
    """A deliverer and a clock in one; keeps since when it was asked."""

    reponse: Repris = RIEN_DE_PLUS
    nom: Canal = Canal.EMAIL
    secondes: float = 1000.0
    regards: list[dt.datetime | None] = field(default_factory=list)
    baux_revus: int = 0

    def now(self) -> dt.datetime:
        return NOW

    async def take_due(self, limite: int, depuis: dt.datetime | None) -> Repris:
        self.regards.append(depuis)
        return self.reponse

    async def give_up_expired(self) -> int:
        self.baux_revus += 1
        return 0


@pytest.fixture
def poste() -> Poste:
    return Poste()


@pytest.fixture
def balayeur(poste: Poste) -> Sweeper:
    tout: Any = poste
    return Sweeper(tout, tout, monotonic=lambda: poste.secondes)


def court() -> dt.datetime:
    return NOW - sweeper._RECUL


async def test_au_demarrage_tout_est_regarde_mais_aucun_bail_n_est_fini(poste: Poste, balayeur: Sweeper) -> None:
    await balayeur.passer()
    poste.secondes += domain.REPIT_S
    await balayeur.passer()
    assert (poste.regards, poste.baux_revus) == ([TOUT, court()], 0)
    poste.secondes += 1
    await balayeur.passer()
    await balayeur.passer()
    assert poste.baux_revus == 2


async def test_tout_est_regarde_deux_fois_par_minute(poste: Poste, balayeur: Sweeper) -> None:
    poste.secondes += domain.REPIT_S + 1
    for _ in range(60):
        await balayeur.passer()
        poste.secondes += 1
    assert poste.regards.count(TOUT) == 2


async def test_ce_qui_reste_est_cherche_depuis_le_debut_jusqu_a_la_fin(poste: Poste, balayeur: Sweeper) -> None:
    """A backlog of ten minutes is older than a short look reaches."""
    poste.secondes += domain.REPIT_S + 1
    await balayeur.passer()
    poste.reponse = Repris(0, reste=True)
    await balayeur.passer()
    assert poste.regards == [TOUT, court()]
    await balayeur.passer()
    poste.reponse = RIEN_DE_PLUS
    await balayeur.passer()
    await balayeur.passer()
    assert poste.regards[2:] == [TOUT, TOUT, court()]


async def test_le_balayage_continue_aussitot_tant_qu_il_prend_tout_ce_qu_il_peut(
    poste: Poste, balayeur: Sweeper
) -> None:
    poste.reponse = Repris(sweeper._LIMITE, reste=True)
    assert await balayeur.passer()
    # Full, or all of them in hand: asking again without a pause would find the same.
    poste.reponse = Repris(0, reste=True)
    assert not await balayeur.passer()
