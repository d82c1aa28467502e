"""Waiting ends when it should, whatever happens meanwhile."""

import asyncio

import pytest

from kit import waiting
from kit.waiting import every, jitter, outlast, wait


async def test_un_signal_ou_le_temps_finit_l_attente() -> None:
    event = asyncio.Event()
    await wait(event, 0)
    await wait(event, -1)
    await wait(event, 0.001)
    assert not event.is_set()
    event.set()
    await wait(event, 3600)


async def test_une_panne_est_attendue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_FIRST_PAUSE_S", 0.0)
    failures = [ConnectionError(), ConnectionError()]

    async def action(value: int) -> int:
        if failures:
            raise failures.pop()
        return value

    assert await outlast(action, 7) == 7
    assert not failures


async def test_une_autre_erreur_n_est_pas_attendue() -> None:
    async def wrong() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await outlast(wrong)


async def test_qui_attend_un_signal_repart_a_son_arrivee_et_pas_avant() -> None:
    event = asyncio.Event()
    waits = asyncio.create_task(wait(event, 3600))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not waits.done()
    event.set()
    await waits


async def test_les_pauses_doublent_jusqu_a_deux_secondes(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []

    def no_pause(seconds: float) -> float:
        pauses.append(seconds)
        return 0.0

    monkeypatch.setattr(waiting, "jitter", no_pause)
    failures = [ConnectionError() for _ in range(8)]

    async def action() -> None:
        if failures:
            raise failures.pop()

    await outlast(action)
    assert pauses == [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]


def test_une_pause_varie_de_moitie_pour_que_tous_ne_reviennent_pas_ensemble() -> None:
    pauses = [jitter(2.0) for _ in range(200)]
    assert all(1.0 <= pause <= 3.0 for pause in pauses)
    assert len(set(pauses)) > 100


async def test_ce_qui_arrive_pendant_un_tour_en_demande_un_autre_aussitot() -> None:
    stopping, wake = asyncio.Event(), asyncio.Event()
    tours = 0

    async def look() -> bool:
        nonlocal tours
        tours += 1
        if tours == 1:
            wake.set()
        else:
            stopping.set()
            wake.set()
        return False

    # Without the signal the second turn would come after an hour.
    await every(3600, look, stopping, away="attente", wake=wake)
    assert tours == 2
