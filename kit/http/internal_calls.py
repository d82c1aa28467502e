"""Calls from one service to the API of another, with a connection pool and a signed token in every call."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

from kit import telemetry
from kit.http.replicas import Replicas, addresses
from kit.http.tokens import TokenSigner
from kit.logging import get_logger

log = get_logger(__name__)

KEEPALIVE_S = 4.0
"""uvicorn closes idle connections after 5 s. We close ours earlier, because a POST on a closed connection fails."""
CONNECT_S = 5.0
"""On a busy machine our own event loop is late: with less, services would be called away that are there."""
TOKEN_REUSED_S = 30.0
"""A token is valid for 60 s; each one is used for half of that time."""


class ServiceAway(ConnectionError):
    """The service does not answer, or answers 5xx: a retry may succeed."""


@dataclass(frozen=True)
class Answer:
    """`content` is the JSON body; {} for an empty one."""

    status: int
    content: Mapping[str, Any]


class InternalApi:
    """May be created anywhere; its connections belong to the event loop of the first call, where `close` must be
    called."""

    def __init__(self, urls: str, service: str, signer: TokenSigner, timeout_s: float = 10.0) -> None:
        """`urls`: where the processes of its API are, comma-separated; `service`: the name of the service that is
        called; `timeout_s`: for one call, in seconds."""
        self._replicas = Replicas(addresses(urls))
        self._service = service
        self._signer = signer
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=CONNECT_S)
        self._http: aiohttp.ClientSession | None = None
        self._token: tuple[str, float] = ("", float("-inf"))

    async def call(
        self, method: str, path: str, *, query: Mapping[str, str] | None = None, content: object = None
    ) -> Answer:
        """The answer of the service, whatever it refuses. Raises ServiceAway, which is an outage (kit.errors)."""
        headers = {**telemetry.inject(), "authorization": f"Bearer {self._signed()}"}
        body = None
        if content is not None:
            body, headers["content-type"] = orjson.dumps(content), "application/json"
        status, raw = await self._send(method, path, params=query, data=body, headers=headers)
        if status >= 500 or status == 401:
            # 401 means that one of our keys or clocks is wrong: an operator must correct it, and waiting work is tried
            # again.
            log.error("service_refused_us", to=self._service, status=status)
            raise ServiceAway(f"{self._service} answered {status}")
        return Answer(status, _content(raw, self._service))

    async def _send(self, method: str, path: str, **request: Any) -> tuple[int, bytes]:
        """Status and body, from the first process that can be reached: nothing is sent twice."""
        if self._http is None:
            self._http = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(keepalive_timeout=KEEPALIVE_S), cookie_jar=aiohttp.DummyCookieJar()
            )
        others = len(self._replicas) - 1
        while True:
            base = self._replicas.next(time.monotonic())
            try:
                async with self._http.request(method, base + path, timeout=self._timeout, **request) as answer:
                    return answer.status, await answer.read()
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                log.warning("service_away", to=self._service, error=type(error).__name__)
                self._replicas.rest(base, time.monotonic())
                if not others or not never_sent(error):
                    raise ServiceAway(self._service) from error
            others -= 1

    def _signed(self) -> str:
        token, until = self._token
        now = time.monotonic()
        if until <= now:
            token = self._signer.sign(self._service)
            self._token = (token, now + TOKEN_REUSED_S)
        return token

    async def close(self) -> None:
        if self._http is not None:
            await self._http.close()


def never_sent(error: BaseException) -> bool:
    """True when the connection was never made, so that the service cannot have received the request."""
    return isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError)


def _content(raw: bytes, service: str) -> Mapping[str, Any]:
    try:
        found = orjson.loads(raw or b"{}")
    except orjson.JSONDecodeError as error:
        raise ServiceAway(f"{service} did not answer in JSON") from error
    if not isinstance(found, dict):
        raise ServiceAway(f"{service} did not answer a JSON object")
    return found
