"""Waiting for a condition: the one way in which a test waits."""

import asyncio
import inspect
from collections.abc import Callable
from typing import Any, Protocol

from deploy.stack.servers.waiting import Patience

_PATIENCE_S = 60.0
_LOOK_S = 0.02


class Bientot(Protocol):
    """`await bientot(lambda: condition)`: waits until the condition (plain or async) is true, and returns its value."""

    async def __call__(self, condition: Callable[..., Any], /) -> Any: ...


async def bientot(condition: Callable[..., Any], /) -> Any:
    patience = Patience(_PATIENCE_S)
    while True:
        value = condition()
        if inspect.isawaitable(value):
            value = await value
        if value:
            return value
        assert not patience.over(), f"still not true: {inspect.getsource(condition).strip()}"
        await asyncio.sleep(_LOOK_S)
