"""Turns: one at a time for a key, others are not held up, nothing is kept afterwards."""

import asyncio
import gc

import pytest

from services.annonces import tours
from services.annonces.tours import Tours


async def test_one_at_a_time_for_the_same_key() -> None:
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


async def test_another_key_is_free_and_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tours, "_PATIENCE_S", 0.01)
    file = Tours()
    async with file.de("a"):
        async with file.de("b"):
            pass
        with pytest.raises(TimeoutError):
            async with file.de("a"):
                raise AssertionError("two at once")


async def test_an_error_inside_frees_the_turn() -> None:
    file = Tours()
    with pytest.raises(ValueError, match="non"):
        async with file.de("a"):
            raise ValueError("non")
    async with file.de("a"):
        pass
