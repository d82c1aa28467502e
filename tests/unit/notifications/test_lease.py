"""A lease that nobody could prolong is known to be over."""

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest

from services.notifications import domain
from services.notifications.delivery.claimed_ahead import Lot
from services.notifications.delivery.lease import Lease


class RegistreFactice:
    """Grants every claim."""

    async def claim(self, lignes: Any, lot: str) -> Any:
        return lignes


async def test_un_bail_se_tient_de_sa_prise_a_sa_fin() -> None:
    maintenant = [100.0]
    lignes = [{"_id": "e1"}]
    registre: Any = RegistreFactice()
    async with Lease(registre, Lot("lot", lignes), monotonic=lambda: maintenant[0]) as lease:
        maintenant[0] += 1000
        assert not lease.held()
        assert await lease.claim() == lignes
        assert lease.held()
        maintenant[0] += domain.BAIL.total_seconds()
        assert not lease.held()


class RegistreOublieux(RegistreFactice):
    """One of the rows has become somebody else's."""

    async def renew(self, lot: str) -> Any:
        return [{"_id": "e1"}]


async def test_ce_qui_est_pris_a_l_insertion_est_redemande_si_son_tour_tarde() -> None:
    maintenant = [100.0]
    lignes = [{"_id": "e1"}, {"_id": "e2"}]
    registre: Any = RegistreOublieux()
    async with Lease(registre, Lot("lot", lignes, 99.0), monotonic=lambda: maintenant[0]) as lease:
        assert await lease.claim() == lignes
        maintenant[0] = 99.0 + domain.BAIL.total_seconds()
        assert not lease.held()
        assert await lease.claim() == [{"_id": "e1"}]
        assert lease.held()


class RegistreRepris(RegistreFactice):
    """Somebody else found the lease over, and ended it."""

    def __init__(self) -> None:
        self.demande = asyncio.Event()

    async def extend(self, lots: Iterable[str]) -> bool:
        self.demande.set()
        return False


async def test_ce_qui_est_passe_a_un_autre_ne_se_reprend_pas_en_prolongeant(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that stood still for a minute: its timer may run before its next hand-off."""
    monkeypatch.setattr(domain, "PROLONGATION_S", 0.0)
    registre: Any = RegistreRepris()
    async with Lease(registre, Lot("lot", [{"_id": "e1"}])) as lease:
        await lease.claim()
        assert lease.held()
        await registre.demande.wait()
        assert not lease.held()
