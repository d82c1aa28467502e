"""Waiting ends when it should, whatever happens meanwhile."""

import asyncio

import pytest

from kit import waiting
from kit.waiting import outlast, wait


async def test_an_event_ends_the_wait_and_so_does_the_time() -> None:
    event = asyncio.Event()
    await wait(event, 0)
    await wait(event, -1)
    await wait(event, 0.001)
    assert not event.is_set()
    event.set()
    await wait(event, 3600)


async def test_an_outage_is_outlasted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_FIRST_PAUSE_S", 0.0)
    failures = [ConnectionError(), ConnectionError()]

    async def action(value: int) -> int:
        if failures:
            raise failures.pop()
        return value

    assert await outlast(action, 7) == 7
    assert not failures


async def test_any_other_error_is_not_outlasted() -> None:
    async def wrong() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await outlast(wrong)
