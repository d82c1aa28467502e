"""Turns: one at a time for a key, others are not held up, nothing is kept afterwards."""

import asyncio
import gc

import pytest

from services.annonces import tours
from services.annonces.tours import Tours


async def test_un_seul_a_la_fois_pour_la_meme_cle() -> None:
    file = Tours()
    dedans: list[int] = []

    async def passer(n: int) -> None:
        async with file.de("a"):
            dedans.append(n)
            await asyncio.to_thread(int)
            assert dedans[-1] == n

    await asyncio.gather(*[passer(n) for n in range(20)])
    assert dedans == list(range(20))
    gc.collect()
    assert len(file._locks) == 0


async def test_une_autre_cle_est_libre_et_la_patience_finit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tours, "_PATIENCE_S", 0.01)
    file = Tours()
    async with file.de("a"):
        async with file.de("b"):
            pass
        with pytest.raises(TimeoutError):
            async with file.de("a"):
                raise AssertionError("two at once")


async def test_une_erreur_libere_le_tour() -> None:
    file = Tours()
    with pytest.raises(ValueError, match="non"):
        async with file.de("a"):
            raise ValueError("non")
    async with file.de("a"):
        pass
