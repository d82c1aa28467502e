"""A worker that is told to stop while it still waits for its servers ends at once."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from kit.lifecycle import Loop, _live, main


async def test_un_arret_n_attend_pas_les_serveurs_absents() -> None:
    stopping = asyncio.Event()
    closed = asyncio.Event()

    @asynccontextmanager
    async def waits_for_ever() -> AsyncIterator[Sequence[Loop]]:
        stopping.set()
        try:
            await asyncio.Event().wait()
            yield []
        finally:
            closed.set()

    assert await _live(waits_for_ever(), stopping) == 0
    assert closed.is_set()


def test_une_commande_inconnue_dit_comment_appeler_le_service(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> Any:
        raise AssertionError("nothing may start")

    for arguments in ([], ["serve"], ["api", "worker"]):
        monkeypatch.setattr(sys, "argv", ["essai", *arguments])
        with pytest.raises(SystemExit) as ended:
            main("essai", never, never, never)
        assert str(ended.value.code).endswith("python -m services.essai api|worker|republier")
