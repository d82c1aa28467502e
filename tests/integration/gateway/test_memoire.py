"""Whether Redis is away: its silence says so, not a gateway that is late itself."""

import asyncio
import time

import pytest

from gateway.memory import Memory, MemoryAway
from tests.serveurs import Serveurs

RETARD_S = 1.5
"""Longer than Redis may be silent."""


async def test_une_boucle_en_retard_ne_dit_pas_redis_absent(serveurs: Serveurs) -> None:
    memory = Memory(serveurs.redis_url)

    async def hold_up() -> None:
        # The answers come meanwhile, and are read late.
        time.sleep(RETARD_S)  # noqa: ASYNC251 (to hold the loop up is the point)

    for _ in range(3):
        answers = await asyncio.gather(*(memory.run(lambda redis: redis.ping()) for _ in range(100)), hold_up())
        assert set(answers) == {True, None}
    await memory.close()


async def test_un_redis_muet_est_absent_et_epargne_le_suivant() -> None:
    asked = 0

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    memory = Memory(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0")
    with pytest.raises(MemoryAway):
        await memory.run(lambda redis: redis.ping())
    before = asked
    with pytest.raises(MemoryAway):
        await memory.run(lambda redis: redis.ping())
    assert asked == before > 0
    await memory.close()
    server.close()
