"""What an account may do: whether it lives, and its roles. Read in MongoDB, kept in Redis for ten seconds at most.

Who changes an account writes its rights here at once; who only reads fills in what is missing. So a read that began
before the change cannot put the old rights back.
"""

import asyncio
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

import orjson
from pymongo.errors import PyMongoError

from contracts.comptes import EtatCompte
from gateway.domain import CompteConnu
from gateway.memory import Memory, MemoryAway
from gateway.store import Comptes
from kit.errors import is_outage

CLE_DROITS = "droits:"
_KEPT_S = 10
# While MongoDB is known to be away it is not waited for by every request: one try a second is enough.
_PAUSE_S = 1.0


class DroitsInconnus(Exception):
    """MongoDB is away and nothing is kept: nobody can say what the account may do."""


@dataclass(frozen=True)
class Droits:
    vivant: bool
    roles: frozenset[str]


def droits_de(compte: CompteConnu | None) -> Droits:
    """The rights of an account as stored; None (never was) has none."""
    if compte is None or compte.etat is EtatCompte.EFFACE:
        return Droits(False, frozenset())
    return Droits(True, compte.roles)


def lire_droits(raw: bytes) -> Droits:
    """What `_ecrire` wrote."""
    roles = orjson.loads(raw)
    return Droits(roles is not None, frozenset(roles or ()))


def _ecrire(droits: Droits) -> bytes:
    return orjson.dumps(sorted(droits.roles) if droits.vivant else None)


class DroitsDesComptes:
    def __init__(self, comptes: Comptes, memory: Memory) -> None:
        self._comptes = comptes
        self._memory = memory
        self._away_until = 0.0
        self._running: dict[str, asyncio.Task[Droits]] = {}

    async def chercher(self, compte_id: str) -> Droits:
        """Requests of one account that come together wait for one look-up.

        Raises DroitsInconnus while MongoDB is away, MemoryAway while Redis is.
        """
        running = self._running.get(compte_id)
        if running is None:
            running = self._running[compte_id] = asyncio.ensure_future(self._chercher(compte_id))
            running.add_done_callback(lambda _: self._running.pop(compte_id))
        return await asyncio.shield(running)

    async def _chercher(self, compte_id: str) -> Droits:
        if time.monotonic() < self._away_until:
            raise DroitsInconnus
        try:
            found = droits_de(await self._comptes.by_id(compte_id))
        except PyMongoError as error:
            if not is_outage(error):
                raise
            self._away_until = time.monotonic() + _PAUSE_S
            raise DroitsInconnus from error
        await self._memory.run(lambda redis: redis.set(CLE_DROITS + compte_id, _ecrire(found), ex=_KEPT_S, nx=True))
        return found

    async def changer(self, compte: CompteConnu) -> None:
        """After the commit. Without Redis what it keeps ends by itself, in seconds."""
        value = _ecrire(droits_de(compte))
        with suppress(MemoryAway):
            await self._memory.run(lambda redis: redis.set(CLE_DROITS + compte.compte_id, value, ex=_KEPT_S))

    async def oublier(self, compte_ids: Iterable[str]) -> None:
        """What is kept of these accounts is read again. Raises MemoryAway."""
        keys = [CLE_DROITS + compte_id for compte_id in compte_ids]
        if keys:
            await self._memory.run(lambda redis: redis.delete(*keys))
