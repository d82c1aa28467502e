"""Between its claim and its hand-off a mail waits; who unsubscribes meanwhile gets nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pytest

from contracts.notifications import Canal
from kit.clock import SystemClock
from services.notifications.delivery import claimed_ahead as avance_
from services.notifications.delivery import last_look
from services.notifications.delivery.claimed_ahead import ClaimedAhead, Lot
from services.notifications.delivery.last_look import LastLook
from services.notifications.domain import PROLONGATION_S, Genre
from services.notifications.planning.channel_rules import SansRegles
from services.notifications.registre.recipients import Recipients

DEBUT = 1000.0


@dataclass(frozen=True)
class Horloge:
    """Stands for the module `time`."""

    heure: list[float]

    def monotonic(self) -> float:
        return self.heure[0]


class Base:
    """The ledger and the contacts; counts what it was asked."""

    def __init__(self) -> None:
        self.partis: set[str] = set()
        self.comptes_lus: list[set[str]] = []
        self.profils_lus: list[set[str]] = []

    async def trouver(self, comptes: Iterable[str]) -> dict[str, Any]:
        self.comptes_lus.append(set(comptes))
        return {}

    async def desabonnes(self, profils: Iterable[str]) -> set[str]:
        self.profils_lus.append(set(profils))
        return self.profils_lus[-1] & self.partis

    async def clotures(self, annonces: Iterable[str]) -> dict[str, Any]:
        return {}


@pytest.fixture
def base() -> Base:
    return Base()


@pytest.fixture
def heure(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time that all of it reads."""
    heure = [DEBUT]
    for module in (last_look, avance_):
        monkeypatch.setattr(module, "time", Horloge(heure))
    return heure


@pytest.fixture
def avance(base: Base) -> ClaimedAhead:
    tout: Any = base
    return ClaimedAhead(Canal.EMAIL, tout)


@pytest.fixture
def vus(base: Base, avance: ClaimedAhead) -> LastLook:
    tout: Any = base
    return LastLook(Canal.EMAIL, tout, tout, avance, SansRegles(), SystemClock())


def prise(nom: str, claimed_at: float | None = DEBUT) -> Lot:
    ligne = {"_id": nom, "genre": Genre.ALERTE, "compte_id": f"c-{nom}", "profil_id": f"p-{nom}", "annonce_id": "a"}
    return Lot(nom, [ligne], claimed_at, None if claimed_at is None else Recipients({}, set(), {}), claimed_at)


async def test_ce_qui_est_lu_pour_le_bail_n_est_pas_relu_aussitot(
    base: Base, vus: LastLook, heure: list[float]
) -> None:
    heure[0] += last_look._FRESH_S / 2
    await vus.recipients(prise("une"))
    assert base.profils_lus == []


async def test_un_seul_regard_sert_tous_ceux_qui_attendent(
    base: Base, vus: LastLook, avance: ClaimedAhead, heure: list[float]
) -> None:
    suivantes = [prise("deux"), prise("trois")]
    avance.lots.extend(suivantes)
    base.partis = {"p-trois"}
    heure[0] += last_look._FRESH_S
    regard = await vus.recipients(prise("une"))
    assert "p-une" not in regard.desabonnes
    assert "p-trois" in (await vus.recipients(suivantes[1])).desabonnes
    await vus.recipients(suivantes[0])
    assert base.profils_lus == [{"p-une", "p-deux", "p-trois"}]
    # Addresses and choices hold as long as the claim.
    assert base.comptes_lus == [set()]


async def test_les_adresses_sont_relues_quand_le_bail_vieillit(base: Base, vus: LastLook, heure: list[float]) -> None:
    vieille = prise("une")
    heure[0] += PROLONGATION_S
    await vus.recipients(vieille)
    assert base.comptes_lus == [{"c-une"}]


async def test_les_adresses_de_qui_attend_sont_lues_a_leur_tour(
    base: Base, vus: LastLook, avance: ClaimedAhead, heure: list[float]
) -> None:
    """A slow relay keeps thousands waiting: reading all of them anew would stop the others."""
    avance.lots.append(prise("deux"))
    heure[0] += PROLONGATION_S
    await vus.recipients(prise("une"))
    assert (base.comptes_lus, base.profils_lus) == ([{"c-une"}], [{"p-une"}])
    await vus.recipients(avance.next())
    assert base.comptes_lus[1:] == [{"c-deux"}]


class Prolongee(Lot):
    """Its claim is prolonged at the moment at which its people were looked at: what was known is to be read anew."""

    def __setattr__(self, nom: str, valeur: Any) -> None:
        super().__setattr__(nom, valeur)
        if nom == "seen_at" and valeur != DEBUT:
            super().__setattr__("recipients", None)


async def test_qui_a_demande_est_servi_meme_si_le_bail_est_prolonge(
    base: Base, vus: LastLook, heure: list[float]
) -> None:
    """Found by 100,000 mails at once: the worker stopped."""
    heure[0] += last_look._FRESH_S
    base.partis = {"p-une"}
    assert "p-une" in (await vus.recipients(Prolongee(**vars(prise("une"))))).desabonnes


async def test_de_lignes_non_prises_d_avance_tout_est_lu(base: Base, vus: LastLook) -> None:
    await vus.recipients(prise("une", claimed_at=None))
    assert (base.comptes_lus, base.profils_lus) == ([{"c-une"}], [{"p-une"}])
