"""Clients of the running system: the public API, the mail catcher, and for operators the internal APIs of services."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import aiohttp

from deploy.errors import Impossible
from deploy.layout import current
from deploy.stack.embedded import Stack
from deploy.stack.servers.waiting import Patience
from kit.http.tokens import TokenSigner

CODE = re.compile(r"(?<!\d)(\d{6}|\d{10})(?!\d)")
# Below the body limit of every API (256 KiB).
_IMPORT_LOT = 250


class RequestRefused(Exception):
    """The system refused: HTTP status and decoded problem document, or text."""

    def __init__(self, status: int, body: Any) -> None:
        detail = body.get("detail", body) if isinstance(body, dict) else str(body)[:300]
        super().__init__(f"{status} : {detail}")
        self.status, self.body = status, body


class Client:
    """A client of the public API (/v1/…). `jeton` is the bearer token of a session; None for a visitor."""

    def __init__(self, http: aiohttp.ClientSession, base: str, jeton: str | None = None) -> None:
        self.http, self.base, self.jeton = http, base.rstrip("/"), jeton
        self.compte_id = ""

    async def call(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> tuple[Any, Mapping[str, str]]:
        """Returns the decoded body and the headers. Raises RequestRefused for 4xx and 5xx."""
        sent = {**({"Authorization": f"Bearer {self.jeton}"} if self.jeton else {}), **(headers or {})}
        async with self.http.request(
            method, self.base + path, json=body, headers=sent, allow_redirects=False
        ) as answer:
            raw = await answer.read()
            found = json.loads(raw) if raw and "json" in answer.content_type else raw.decode("utf-8", "replace")
            if answer.status >= 400:
                raise RequestRefused(answer.status, found)
            return found, answer.headers

    async def get(self, path: str) -> Any:
        return (await self.call("GET", path))[0]

    async def post(self, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Any:
        return (await self.call("POST", path, body, headers))[0]


class MailCatcher:
    """Client of the mail catcher."""

    def __init__(self, http: aiohttp.ClientSession, base: str) -> None:
        self.client = Client(http, base)

    async def dernier_id(self) -> int:
        return int((await self.client.get("/api/compte"))["dernier"])

    async def mails(self, apres: int, **filtres: str) -> list[dict[str, Any]]:
        """All mails with an id above `apres`, oldest first. Filters: `a` (recipient), `sujet`."""
        found: list[dict[str, Any]] = []
        last = apres
        while True:
            query = "&".join(f"{name}={quote(value)}" for name, value in filtres.items())
            lot = await self.client.get(f"/api/mails?apres={last}&limite=5000&{query}")
            found += lot
            if len(lot) < 5000:
                return sorted(found, key=lambda mail: int(mail["id"]))
            last = max(mail["id"] for mail in lot)

    async def attendre(self, adresse: str, apres: int, sujet: str = "", secondes: int = 60) -> dict[str, Any]:
        """Waits for the first mail to `adresse` after the id `apres`; returns all of it (texte, html, entetes). Raises
        Impossible."""
        path = f"/api/attendre?a={quote(adresse)}&apres={apres}&sujet={quote(sujet)}&delai={secondes}"
        found = await self.client.get(path)
        if not found:
            raise Impossible(
                f"Aucun message « {sujet} » n’est arrivé en {secondes} s : « ./place logs notifications »."
            )
        first = min(found, key=lambda mail: int(mail["id"]))
        whole: dict[str, Any] = await self.client.get(f"/api/mails/{first['id']}")
        return whole


class PhoneCatcher:
    """Client of the catcher's phones: what they received, and what they answer."""

    def __init__(self, http: aiohttp.ClientSession, base: str) -> None:
        self.client = Client(http, base)

    async def dernier_id(self) -> int:
        return int((await self.client.get("/api/sms/compte"))["dernier"])

    async def total(self) -> int:
        """Number of SMS received since the file of the catcher was created."""
        return int((await self.client.get("/api/sms/compte"))["total"])

    async def sms(self, apres: int = 0, numero: str | None = None) -> list[dict[str, Any]]:
        """All SMS received with an id above `apres`, oldest first, of one phone (E.164) or of all phones."""
        found: list[dict[str, Any]] = []
        while True:
            to = f"&a={quote(numero)}" if numero else ""
            lot = await self.client.get(f"/api/sms?apres={apres}&limite=5000{to}")
            found += lot
            if len(lot) < 5000:
                return found
            apres = lot[-1]["id"]

    async def attendre(self, numero: str, apres: int, secondes: int = 60) -> dict[str, Any]:
        """Waits for the first SMS to the phone `numero` after the id `apres`. Raises Impossible."""
        path = f"/api/attendre-sms?a={quote(numero)}&apres={apres}&delai={secondes}"
        found: list[dict[str, Any]] = await self.client.get(path)
        if not found:
            raise Impossible(f"Aucun SMS n’est arrivé en {secondes} s : « ./place logs notifications ».")
        return found[0]

    async def repondre(self, numero: str, texte: str, operateur: str | None = None) -> None:
        """Sends an SMS from the phone, through `operateur` or else the operator that delivered last. Raises
        RequestRefused (503)."""
        body = {"texte": texte, **({"operateur": operateur} if operateur else {})}
        await self.client.post(f"/api/telephones/{quote(numero)}/repondre", body)


async def connexion(http: aiohttp.ClientSession, base: str, courrier: MailCatcher, adresse: str) -> Client:
    """Signs in like a person: asks for a code, reads it in the mail, enters it."""
    client = Client(http, base)
    before = await courrier.dernier_id()
    demande = (await client.post("/v1/comptes/code", {"email": adresse}))["demande"]
    mail = await courrier.attendre(adresse, before)
    code = CODE.search(mail["texte"])
    if code is None:
        raise Impossible("Le message de connexion ne contient pas de code.")
    session = await client.post("/v1/sessions", {"email": adresse, "code": code[1], "demande": demande})
    client.jeton, client.compte_id = session["jeton"], session["compte_id"]
    return client


class InternalApis:
    """Internal APIs of the services, for an operator who holds the gateway's signing key: imports, generated data,
    checks."""

    def __init__(self, http: aiohttp.ClientSession, stack: Stack) -> None:
        self._http = http
        self._ports = stack.ports
        self._signer = TokenSigner((current().secrets / "gateway" / "jeton_cle_privee").read_text())

    def client(self, service: str, sub: str = "", roles: Sequence[str] = ()) -> Client:
        """A client of one service on behalf of `sub`; its token is valid for one minute."""
        jeton = self._signer.sign(service, sub, frozenset(roles))
        return Client(self._http, f"http://127.0.0.1:{self._ports[f'{service}-api']}", jeton)

    async def importer(self, service: str, path: str, rows: Sequence[Mapping[str, Any]]) -> AsyncIterator[int]:
        """Posts `rows` in lots with the role systeme. Yields the size of each stored lot."""
        for start in range(0, len(rows), _IMPORT_LOT):
            lot = rows[start : start + _IMPORT_LOT]
            await self.client(service, roles=["systeme"]).post(path, list(lot))
            yield len(lot)


@asynccontextmanager
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    timeout = aiohttp.ClientTimeout(total=360)
    # Servers close idle connections after five seconds, and a POST on a connection that was just closed fails.
    connector = aiohttp.TCPConnector(limit=32, keepalive_timeout=2)
    async with aiohttp.ClientSession(timeout=timeout, connector=connector) as http:
        yield http


async def jusqu_a(condition: Any, quoi: str, secondes: float = 60.0) -> Any:
    """Waits until `await condition()` is true and returns its value.

    Raises Impossible naming `quoi` after `secondes` (more on a busy machine, see Patience).
    """
    patience = Patience(secondes)
    while not (value := await condition()):
        if patience.over():
            raise Impossible(f"{quoi} : toujours rien ; lisez « ./place status » et « ./place logs ».")
        await asyncio.sleep(0.05)
    return value
