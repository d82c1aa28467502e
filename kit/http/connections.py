"""Limits of one HTTP connection, and of the number of open connections per address and in total."""

import resource
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

Owner = Callable[[str], str | None]
"""Maps the address of a peer to the key under which its connections are counted; None exempts it from the limit per
address."""


@dataclass(frozen=True)
class Limits:
    """Limits after which the server closes a connection. The defaults leave room for any browser and any API client.

    `head_bytes`: request line and headers. `headers`: number of headers. `body_bytes`: body as sent, chunk framing
    included. Sizes are exact to within 16 KiB, the amount read at once. `head_s`, `body_s`: time from the first byte to
    the last. `idle_s`: time between two requests. `write_s`: time during which the client reads nothing of an answer.
    `linger_s`: time left to read a refusal. `per_address`, `total`: numbers of connections.
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


class ServedConnection(Protocol):
    @property
    def waiting(self) -> bool:
        """True when no request of this connection is being answered: it is idle, or its request has not fully
        arrived."""

    def give_way(self) -> None:
        """Closes the connection at once."""


class Connections:
    """The open connections of a server, oldest first. When a limit is reached, the oldest connection that waits is
    closed to make room: a client that holds idle connections loses those and blocks nobody else."""

    def __init__(self, limits: Limits, owner: Owner = str) -> None:
        self._per_address = limits.per_address
        # The other half of the file descriptors is for databases, brokers and calls to other services.
        self._total = min(limits.total, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2)
        self._owner = owner
        self._all: dict[ServedConnection, str | None] = {}
        self._by_owner: dict[str, dict[ServedConnection, None]] = {}

    def enter(self, connection: ServedConnection, peer: str) -> bool:
        """Registers a connection. Returns False when a limit is reached and none of the counted connections can be
        closed, because all of them are being answered."""
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

    def leave(self, connection: ServedConnection) -> None:
        """Unregisters a connection; does nothing if it is not registered."""
        owner = self._all.pop(connection, None)
        if owner is not None:
            own = self._by_owner[owner]
            del own[connection]
            if not own:
                del self._by_owner[owner]

    def _make_room(self, among: dict[ServedConnection, str | None] | dict[ServedConnection, None]) -> bool:
        oldest = next((connection for connection in among if connection.waiting), None)
        if oldest is None:
            return False
        self.leave(oldest)
        oldest.give_way()
        return True
