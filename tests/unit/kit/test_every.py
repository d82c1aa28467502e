"""A timer outlasts a server that is away, hurries while there is more to do, and hides no other error."""

import asyncio

import pytest

from kit.waiting import every


async def test_la_tache_continue_tant_qu_il_en_reste_et_attend_un_serveur_absent() -> None:
    stopping = asyncio.Event()
    tour = iter([ConnectionError("away"), True, True])

    async def look() -> bool:
        found = next(tour, None)
        if isinstance(found, Exception):
            raise found
        if found is None:
            stopping.set()
        return bool(found)

    await every(0.001, look, stopping, away="nothing_yet")
    assert next(tour, None) is None


async def test_une_erreur_qui_n_est_pas_une_panne_arrete_la_tache() -> None:
    async def look() -> bool:
        raise ValueError("ours")

    with pytest.raises(ValueError, match="ours"):
        await every(0.001, look, asyncio.Event(), away="never")
