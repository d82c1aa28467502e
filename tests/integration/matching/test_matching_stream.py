"""The stream ends when it must, whatever its agents have in hand."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from kit.errors import Stop
from kit.events import Record
from services.matching import stream
from services.matching.settings import Reglages
from services.matching.stream import Stream

pytestmark = pytest.mark.usefixtures("worker")


class Dangereux:
    async def process(self, records: Sequence[Record]) -> None:
        raise Stop("too many dead letters")


class Bloque:
    """As while a server is away."""

    def __init__(self) -> None:
        self.entre = asyncio.Event()

    async def process(self, records: Sequence[Record]) -> None:
        self.entre.set()
        await asyncio.Event().wait()


@pytest.fixture(autouse=True)
def a_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """A group of its own, so that the worker of the other tests keeps its partitions."""
    monkeypatch.setattr(stream, "SERVICE", "matching-essai")
    monkeypatch.setattr(stream, "_GRACE_S", 1.0)


async def test_a_stop_ends_the_stream_although_its_agents_never_finish(
    reglages: Reglages, publier: Any, publiee: Any
) -> None:
    for _ in range(3):
        await publier(publiee())
    async with asyncio.timeout(60):
        with pytest.raises(Stop):
            await Stream(reglages.kafka_url, Dangereux(), abreast=4).run(asyncio.Event())  # type: ignore[arg-type]  # a fake


async def test_a_worker_that_waits_for_a_server_can_be_stopped(reglages: Reglages, publier: Any, publiee: Any) -> None:
    for _ in range(3):
        await publier(publiee())
    bloque, stopping = Bloque(), asyncio.Event()
    running = asyncio.create_task(Stream(reglages.kafka_url, bloque, abreast=4).run(stopping))  # type: ignore[arg-type]  # a fake
    async with asyncio.timeout(60):
        await bloque.entre.wait()
        stopping.set()
        await running
