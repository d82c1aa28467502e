"""How much one connection may ask for, and how many connections are held at once: by one address, and by all."""

import resource
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

Owner = Callable[[str], str | None]
"""The address of a peer → the name that its connections are counted under; None: they are not counted."""


@dataclass(frozen=True)
class Limits:
    """What a server of ours grants before it closes. The defaults leave room for any browser and any caller of the API.

    `head_bytes`: a request line and its headers; `headers`: how many of them; `body_bytes`: a body as it is sent, with
    what cuts it into chunks. Each is kept to 16 KiB, which is how much is read at once.
    `head_s`, `body_s`: from the first byte of each to its last. `idle_s`: between two requests. `write_s`: during which
    somebody reads nothing of an answer. `linger_s`: after a refusal, so that it is read.
    `per_address`, `total`: connections.
    """

    head_bytes: int = 32 * 1024
    headers: int = 100
    body_bytes: int = 1024 * 1024
    head_s: float = 10.0
    body_s: float = 30.0
    idle_s: int = 5
    write_s: float = 30.0
    linger_s: float = 2.0
    per_address: int = 256
    total: int = 4000


class Held(Protocol):
    @property
    def waiting(self) -> bool:
        """Nothing of it is being answered: it is idle, or its request is not there yet."""

    def give_way(self) -> None:
        """Closes it at once."""


class Connections:
    """The open connections of a server, oldest first. Where there are too many, the oldest that waits gives way to the
    new one: whoever holds connections open without asking anything loses those, and keeps nobody else out."""

    def __init__(self, limits: Limits, owner: Owner = str) -> None:
        self._per_address = limits.per_address
        # The other half is for databases, brokers and the services that are called.
        self._total = min(limits.total, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2)
        self._owner = owner
        self._all: dict[Held, str | None] = {}
        self._by_owner: dict[str, dict[Held, None]] = {}

    def enter(self, connection: Held, peer: str) -> bool:
        """False when there is no room for it: as many as are allowed are being answered."""
        owner = self._owner(peer)
        own = self._by_owner.get(owner, {}) if owner is not None else {}
        if len(own) >= self._per_address and not self._make_room(own):
            return False
        if len(self._all) >= self._total and not self._make_room(self._all):
            return False
        self._all[connection] = owner
        if owner is not None:
            self._by_owner.setdefault(owner, {})[connection] = None
        return True

    def leave(self, connection: Held) -> None:
        """Nothing happens for one that never entered, or has left already."""
        owner = self._all.pop(connection, None)
        if owner is not None:
            own = self._by_owner[owner]
            del own[connection]
            if not own:
                del self._by_owner[owner]

    def _make_room(self, among: dict[Held, str | None] | dict[Held, None]) -> bool:
        oldest = next((connection for connection in among if connection.waiting), None)
        if oldest is None:
            return False
        self.leave(oldest)
        oldest.give_way()
        return True
