"""Calls to the services: one pool of connections, a signed token in every call, bytes in and bytes out."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import aiohttp
import orjson
from cachetools import TTLCache
from starlette.responses import Response
from yarl import URL

from gateway.domain import Role
from gateway.door_rules import SAFE_METHODS
from kit import telemetry
from kit.http.internal_calls import CONNECT_S, KEEPALIVE_S, TOKEN_REUSED_S, never_sent
from kit.http.problems import Problem, unavailable, undecided
from kit.http.replicas import Replicas
from kit.http.tokens import TOKEN_REFUSED, TokenSigner
from kit.logging import get_logger
from kit.waiting import jitter

log = get_logger(__name__)

_PAUSE_S = 0.1
_TOKENS_MAX = 4096

FORWARDED = ("content-type", "accept", "accept-language", "if-match", "if-none-match", "idempotency-key")
# What a provider signs its callback with.
SIGNED = ("x-horodatage", "x-signature")
RETURNED = (
    "content-type",
    "allow",
    "etag",
    "location",
    "retry-after",
    "cache-control",
    "last-modified",
    "content-language",
    "content-disposition",
    "content-security-policy",
    "vary",
)


class ServiceAway(Exception):
    """A service does not answer, or not in time. `sent`: it may have got the request, and done what it asks.

    `again`: another try within seconds may meet it.
    """

    def __init__(self, service: str, *, sent: bool, again: bool = True) -> None:
        super().__init__(service)
        self.sent = sent
        self.again = again

    def problem(self, method: str) -> Problem:
        """A 503 problem that promises no more than is known."""
        return unavailable() if not self.sent or method in SAFE_METHODS else undecided()


@dataclass(frozen=True)
class Caller:
    """On whose behalf a service is called: an account, or a visitor ("")."""

    compte_id: str = ""
    roles: frozenset[str] = frozenset()


VISITOR = Caller()
SYSTEM = Caller(roles=frozenset({Role.SYSTEME.value}))


@dataclass(frozen=True)
class Answer:
    """What a service said. `headers` in lower case, only those that may go on to the public."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    def json(self) -> dict[str, object]:
        """The body of a JSON answer; {} for an empty one. Raises ServiceAway when it is not our service speaking."""
        if not self.body:
            return {}
        try:
            found = orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise ServiceAway("not JSON", sent=True) from error
        if not isinstance(found, dict):
            raise ServiceAway("not a JSON object", sent=True)
        return found

    def response(self, more: Mapping[str, str] | None = None) -> Response:
        return Response(self.body, status_code=self.status, headers={**self.headers, **(more or {})})


def as_problem(answer: Answer) -> Problem:
    """What a service refused, as our own refusal."""
    try:
        found = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        found = {}
    if not isinstance(found, Mapping):
        found = {}
    if answer.status >= 500:
        problem = unavailable()
        if answer.status == 503:
            # Only the service knows whether something may have been stored.
            problem.detail = str(found.get("detail", problem.detail))
        return problem
    slug = str(found.get("type", "/problemes/refus")).rpartition("/")[2]
    errors = [e for e in found.get("erreurs", []) if isinstance(e, Mapping)]
    title = str(found.get("title", "Demande refusée"))
    return Problem(answer.status, slug, title, str(found.get("detail", title)), errors=errors)


class Services:
    def __init__(
        self, urls: Mapping[str, Sequence[str]], signer: TokenSigner, timeout_s: float, restart_s: float = 0.0
    ) -> None:
        """`urls`: of each service, where its processes serve its API. `timeout_s`: how long a call lasts at most.
        `restart_s`: how long a service of which no process answers may be waited for, counted from when it was first
        missed: one that stays away delays nobody further."""
        self._replicas = {service: Replicas(found) for service, found in urls.items()}
        self._signer = signer
        self._timeout_s = timeout_s
        self._restart_s = restart_s
        self._missed_since: dict[str, float] = {}
        self._tokens: TTLCache[tuple[str, Caller], str] = TTLCache(_TOKENS_MAX, TOKEN_REUSED_S)
        self._http: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """On the event loop that will use it."""
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=256, keepalive_timeout=KEEPALIVE_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        )

    async def stop(self) -> None:
        if self._http is not None:
            await self._http.close()

    def token(self, service: str, caller: Caller) -> str:
        key = (service, caller)
        token = self._tokens.get(key)
        if token is None:
            token = self._tokens[key] = self._signer.sign(service, caller.compte_id, caller.roles)
        return token

    async def call(
        self,
        service: str,
        method: str,
        path: str,
        caller: Caller = VISITOR,
        *,
        query: str = "",
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
    ) -> Answer:
        """`path` and `query` are already percent-encoded and are sent as they are. Raises ServiceAway.

        A process that cannot be reached is passed over for another one of its service. When there is none, the service
        is waited for, as long as nothing can happen twice: nothing was sent, or it was a read. With a `timeout_s` of
        its own a call waits for nobody: who gives one has something else to show.
        """
        end = time.monotonic() + (self._restart_s if timeout_s is None else 0.0)
        tries = 0
        while True:
            tries += 1
            try:
                answer = await self._try(service, method, path, caller, query, body, headers or {}, timeout_s)
            except ServiceAway as away:
                if not away.again or (away.sent and method not in SAFE_METHODS):
                    raise
                if not away.sent and tries < len(self._replicas[service]):
                    continue
                now = time.monotonic()
                missed = self._missed_since.setdefault(service, now)
                # A read that was cut off is tried once more in any case: by a replica that leaves, others are there.
                if now > min(end, missed + self._restart_s) and not (away.sent and tries == 1):
                    raise
                await asyncio.sleep(jitter(_PAUSE_S))
            else:
                self._missed_since.pop(service, None)
                return answer

    async def _try(
        self,
        service: str,
        method: str,
        path: str,
        caller: Caller,
        query: str,
        body: bytes,
        headers: Mapping[str, str],
        timeout_s: float | None,
    ) -> Answer:
        if self._http is None:
            raise RuntimeError("Services.start was not awaited")
        replicas = self._replicas[service]
        base = replicas.next(time.monotonic())
        url = URL(f"{base}{path}?{query}" if query else f"{base}{path}", encoded=True)
        sent = {
            **headers,
            **telemetry.inject(),
            "accept-encoding": "identity",
            "authorization": f"Bearer {self.token(service, caller)}",
        }
        timeout = aiohttp.ClientTimeout(total=timeout_s or self._timeout_s, sock_connect=CONNECT_S)
        try:
            async with self._http.request(
                method, url, data=body or None, headers=sent, allow_redirects=False, timeout=timeout
            ) as answer:
                content = await answer.read()
                if answer.headers.get("connection") == "close":
                    # This process has been told to end, and soon takes no new connection.
                    replicas.rest(base, time.monotonic())
                if answer.status == 401 and TOKEN_REFUSED.encode() in content:
                    # Our own token: a key or a clock of ours is wrong, and no visitor can mend it by logging in.
                    log.error("service_refused_token", to=service)
                    raise ServiceAway(service, sent=False, again=False)
                found = {name: answer.headers[name] for name in RETURNED if name in answer.headers}
                if found.get("location", "").startswith(base):
                    # A redirect of the service's own framework names its inner address.
                    found["location"] = found["location"].removeprefix(base)
                return Answer(answer.status, content, found)
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            log.warning("service_away", to=service, error=type(error).__name__)
            replicas.rest(base, time.monotonic())
            unsent = never_sent(error)
            again = unsent or not isinstance(error, TimeoutError)
            raise ServiceAway(service, sent=not unsent, again=again) from error

    async def ask(
        self, service: str, method: str, path: str, caller: Caller, content: object = None, **headers: str
    ) -> Answer:
        """`call` with a JSON body; headers as keywords with _ for -."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        body = b""
        if content is not None:
            body = orjson.dumps(content)
            sent["content-type"] = "application/json"
        return await self.call(service, method, path, caller, body=body, headers=sent)

    async def ask_or_fail(self, service: str, method: str, path: str, caller: Caller, content: object) -> Answer:
        """`ask` for what the gateway itself needs: anything but a success is a service that is not available."""
        answer = await self.ask(service, method, path, caller, content)
        if answer.status >= 300:
            log.error("service_refused_gateway", to=service, path=path.split("/")[3:4], status=answer.status)
            raise unavailable()
        return answer
