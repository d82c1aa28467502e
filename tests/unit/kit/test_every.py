"""A timer outlasts a server that is away, hurries while there is more to do, and hides no other error."""

import asyncio

import pytest

from kit.waiting import every


async def test_it_goes_on_while_there_is_more_and_waits_for_a_server_that_is_away() -> None:
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


async def test_an_error_that_is_no_outage_ends_it() -> None:
    async def look() -> bool:
        raise ValueError("ours")

    with pytest.raises(ValueError, match="ours"):
        await every(0.001, look, asyncio.Event(), away="never")
