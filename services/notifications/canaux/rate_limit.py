"""Limits the rate of messages to a provider, over all workers together."""

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from kit.database.redis import is_unavailable
from kit.logging import get_logger

log = get_logger(__name__)

# KEYS[1]: the bucket. ARGV: tokens per second, capacity, tokens wanted. Returns the microseconds to wait; 0 when the
# tokens were taken. Uses Redis's clock, because the clocks of workers may differ; if it is set back, no tokens are
# added.
PRENDRE = """
local debit, capacite, n = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local temps = redis.call('TIME')
local now = temps[1] * 1000000 + temps[2]
local seau = redis.call('HMGET', KEYS[1], 'jetons', 'at')
local jetons, at = tonumber(seau[1]) or capacite, tonumber(seau[2]) or now
jetons = math.min(capacite, jetons + math.max(0, now - at) * debit / 1000000)
local attente = 0
if jetons >= n then jetons = jetons - n else attente = math.ceil((n - jetons) * 1000000 / debit) end
redis.call('HSET', KEYS[1], 'jetons', string.format('%.9f', jetons), 'at', string.format('%.0f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil(capacite * 1000 / debit) + 1000)
return attente
"""

_REPONSE_S = 0.5
_PAUSE_S = 1.0
"""While Redis is away it is asked once in this time, so that messages do not wait for it each time."""


@dataclass(frozen=True)
class Limite:
    """`par_seconde`: messages per second that a provider accepts; `rafale`: burst after a pause."""

    par_seconde: float
    rafale: int = 1

    def __post_init__(self) -> None:
        """Raises ValueError."""
        if not (math.isfinite(self.par_seconde) and self.par_seconde > 0 and self.rafale >= 1):
            raise ValueError("Un débit est positif, et sa rafale au moins d’un message.")


def lire_limites(texte: str, lot: int) -> dict[str, Limite]:
    """Parses "smpp=20,http=10,relais.example.org:25=100": messages per second by provider, named as in the ledger.
    `lot`: minimum size of a batch. Raises ValueError."""
    limites: dict[str, Limite] = {}
    for morceau in filter(None, (m.strip() for m in texte.split(","))):
        nom, egal, nombre = morceau.rpartition("=")
        if not egal or not nom or nom in limites:
            raise ValueError("DEBITS must look like smpp=20,http=10, each provider once")
        par_seconde = float(nombre)
        limites[nom] = Limite(par_seconde, max(lot, math.ceil(par_seconde)))
    return limites


@dataclass
class _LocalBucket:
    """The bucket of one process, used while the shared one is unreachable."""

    limite: Limite
    part: float
    at: float
    # Starts empty, because the tokens of the shared bucket may just have been taken.
    jetons: float = field(default=0.0)

    def prendre(self, n: int, now: float) -> float:
        debit = self.limite.par_seconde * self.part
        self.jetons = min(float(self.limite.rafale), self.jetons + (now - self.at) * debit)
        self.at = now
        if self.jetons >= n:
            self.jetons -= n
            return 0.0
        return (n - self.jetons) / debit


def connecter(url: str) -> Redis:
    """A client with short time-outs, so that messages do not wait for a server that is away."""
    return Redis.from_url(
        url, socket_timeout=_REPONSE_S, socket_connect_timeout=_REPONSE_S, retry=Retry(NoBackoff(), 0)
    )


class RateLimiter:
    """A token bucket per provider in Redis, shared by all workers. Providers without a limit are never waited for.

    While Redis is away, each process counts alone, at the provider's rate divided by `processus`, the usual number of
    workers (the real one is unknown then). With more workers the provider may throttle us, which the channel treats as
    a temporary refusal; with fewer, messages are slower. No message is lost.
    """

    def __init__(
        self,
        redis: Redis,
        limites: Mapping[str, Limite],
        *,
        processus: int = 1,
        prefixe: str = "debit:",
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        if processus < 1:
            raise ValueError("Il y a au moins un processus.")
        self._script = redis.register_script(PRENDRE)
        self._limites = dict(limites)
        self._part = 1 / processus
        self._prefixe = prefixe
        self._monotonic = monotonic
        self._absent_jusqua = -math.inf
        self._seaux: dict[str, _LocalBucket] = {}

    async def prendre(self, fournisseur: str, n: int = 1) -> float:
        """Takes n tokens and returns 0, or returns the seconds after which to try again. Raises ValueError when n
        exceeds the capacity."""
        limite = self._limites.get(fournisseur)
        if limite is None:
            return 0.0
        if not 1 <= n <= limite.rafale:
            raise ValueError(f"Ce fournisseur prend de 1 à {limite.rafale} messages à la fois, pas {n}.")
        if self._monotonic() >= self._absent_jusqua:
            try:
                attente = await self._partage(fournisseur, limite, n)
            except RedisError as error:
                if not is_unavailable(error):
                    raise
                self._absent_jusqua = self._monotonic() + _PAUSE_S
                if not self._seaux:
                    log.warning("rate_counted_locally", error=type(error).__name__)
            else:
                self._seaux.clear()
                return attente
        return self._local(fournisseur, limite, n)

    async def attendre(self, fournisseur: str, n: int = 1) -> None:
        """Returns once n tokens were taken. Raises ValueError like `prendre`."""
        attente = await self.prendre(fournisseur, n)
        while attente > 0:
            await asyncio.sleep(attente)
            attente = await self.prendre(fournisseur, n)

    async def _partage(self, fournisseur: str, limite: Limite, n: int) -> float:
        args: list[float] = [limite.par_seconde, limite.rafale, n]
        micros: int = await self._script(keys=[self._prefixe + fournisseur], args=args)
        return micros / 1_000_000

    def _local(self, fournisseur: str, limite: Limite, n: int) -> float:
        now = self._monotonic()
        if fournisseur not in self._seaux:
            self._seaux[fournisseur] = _LocalBucket(limite, self._part, now)
        return self._seaux[fournisseur].prendre(n, now)
