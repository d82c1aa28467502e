"""How loops wait: until told to stop, and while a server is away."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any, ParamSpec, TypeVar

from kit.errors import is_outage
from kit.logging import get_logger

log = get_logger(__name__)
P = ParamSpec("P")
T = TypeVar("T")

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.05, 2.0


async def wait(event: asyncio.Event, seconds: float) -> None:
    """Returns when `event` is set or after `seconds`; at once when `seconds` is not positive."""
    if seconds <= 0:
        return
    try:
        # Not wait_for: in Python 3.11 it swallows a cancellation that arrives together with the event.
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return


async def first_of(*awaited: asyncio.Event | asyncio.Future[Any]) -> None:
    """Returns when one of `awaited` is set or done. Does not raise their errors."""
    own = [asyncio.ensure_future(one.wait()) for one in awaited if isinstance(one, asyncio.Event)]
    futures = [one for one in awaited if not isinstance(one, asyncio.Event)]
    try:
        await asyncio.wait({*own, *futures}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in own:
            task.cancel()


async def every(
    seconds: float,
    look: Callable[[], Awaitable[bool]],
    stopping: asyncio.Event,
    *,
    away: str,
    wake: asyncio.Event | None = None,
) -> None:
    """Calls `look` until `stopping` is set: `seconds` after each call, or at once when it returned True (more work is
    left) or when `wake` is set (new work has arrived).

    With `wake`, a loop that is told to stop returns after `seconds` at most. Outages are logged as `away` and waited
    for. Other errors of `look` are raised.
    """
    while not stopping.is_set():
        if wake is not None:
            # Before the look: what arrives during it is looked for once more.
            wake.clear()
        more = False
        try:
            more = await look()
        except Exception as error:
            if not is_outage(error):
                raise
            log.warning(away, error=type(error).__name__)
        if not more:
            await wait(wake or stopping, seconds)


async def outlast(action: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
    """Repeats `action` while a server is away, with growing pauses and jitter. Raises all other errors."""
    pause = _FIRST_PAUSE_S
    while True:
        try:
            return await action(*args, **kwargs)
        except Exception as error:
            if not is_outage(error):
                raise
            log.warning("server_away", error=type(error).__name__)
        await asyncio.sleep(jitter(pause))
        pause = min(pause * 2, _LONGEST_PAUSE_S)


def jitter(seconds: float) -> float:
    """Returns 0.5 to 1.5 times `seconds`, so that waiting processes do not all return at the same time."""
    return seconds * random.uniform(0.5, 1.5)
