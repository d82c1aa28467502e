"""Hands an SMS to the catcher, which shows it like the phone would. The operator acknowledges only after that."""

from dataclasses import asdict, dataclass
from typing import Protocol

import aiohttp

_TIMEOUT = aiohttp.ClientTimeout(total=10)


class CourrierInjoignable(Exception):
    """The catcher did not accept the SMS."""


@dataclass(frozen=True)
class Sms:
    """`de`: number or name; `a`: E.164; `parties`: number of SMS paid; `reference`: the operator's id. The same
    operator and reference mean the same SMS."""

    operateur: str
    de: str
    a: str
    texte: str
    parties: int
    reference: str


class SmsSink(Protocol):
    """Where SMS are delivered."""

    async def remettre(self, sms: Sms) -> None:
        """Raises CourrierInjoignable."""
        ...


class CatcherClient:
    """The catcher at `url`."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http = http
        self._url = url.rstrip("/") + "/api/sms"

    async def remettre(self, sms: Sms) -> None:
        try:
            async with self._http.post(self._url, json=asdict(sms), timeout=_TIMEOUT) as answer:
                status = answer.status
        except (aiohttp.ClientError, OSError) as error:
            raise CourrierInjoignable(type(error).__name__) from error
        if status not in (200, 201):
            raise CourrierInjoignable(f"HTTP {status}")
