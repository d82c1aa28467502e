"""An SMS provider over HTTPS, for any API: a request from templates, and an id found in the response.

`verdicts.py` interprets responses. Without a response, the outcome is unknown.
"""

import asyncio
import re
import time
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote, urlsplit

import aiohttp
import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, SecretStr
from yarl import URL

from kit.logging import get_logger
from services.notifications.canaux.base import Inconnu, Injoignable, Permanent, Recu
from services.notifications.canaux.sms.gsm7 import compter
from services.notifications.canaux.sms.verdicts import refus_http

log = get_logger(__name__)

_CHAMPS = ("numero", "texte", "reference", "expediteur")
_CHAMP = re.compile(r"\{([a-z_]+)\}")
_CORPS_MAX = 64 * 1024
_REFERENCE_MAX = 128
# Shorter than the keep-alive of most servers: a request on a connection that they just closed would have an unknown
# outcome.
_REPOS_S = 2.0
_ROUVERTURE_S = 1.0


def _champs_connus(valeur: JsonValue) -> JsonValue:
    """Raises ValueError for an unknown placeholder, which would otherwise be sent to people."""
    if isinstance(valeur, str):
        inconnus = sorted(set(_CHAMP.findall(valeur)) - set(_CHAMPS))
        if inconnus:
            raise ValueError(f"unknown placeholder {{{inconnus[0]}}}: known are {', '.join(_CHAMPS)}")
    elif isinstance(valeur, Mapping):
        for suite in valeur.values():
            _champs_connus(suite)
    elif isinstance(valeur, list):
        for suite in valeur:
            _champs_connus(suite)
    return valeur


def _url(valeur: str) -> str:
    _champs_connus(valeur)
    parts = urlsplit(valeur)
    # A host name without a dot is on this machine or container network.
    local = parts.hostname in ("127.0.0.1", "::1") or "." not in (parts.hostname or ".")
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and local)):
        raise ValueError("the URL of an SMS provider is https://… (http:// inside of one's own network only)")
    if "{" in parts.netloc:
        raise ValueError("the host of an SMS provider's URL is fixed")
    return valeur


class FournisseurHttp(BaseModel):
    """The API of a provider.

    `url` and the strings in `corps` may contain {numero}, {texte}, {reference} (our id of the message, the same for
    each attempt), {expediteur}. `chemin_reference`: path of the provider's id in the response, "messages.0.id".
    `entete_cle`, `cle`: the header with the API key, complete ("Bearer …"). `delai_s`: time-out of the whole response.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    nom: str = Field(pattern=r"^[a-z0-9-]{1,32}$")
    url: Annotated[str, AfterValidator(_url)]
    methode: str = Field(default="POST", pattern=r"^(POST|PUT|GET)$")
    corps: Annotated[JsonValue, AfterValidator(_champs_connus)] = {
        "to": "{numero}",
        "from": "{expediteur}",
        "text": "{texte}",
        "reference": "{reference}",
    }
    entetes: dict[str, str] = {}
    entete_cle: str = "Authorization"
    cle: SecretStr = SecretStr("")
    chemin_reference: str = "id"
    expediteur: str = ""
    delai_s: float = Field(default=30.0, gt=0)
    connexion_s: float = Field(default=5.0, gt=0)


class ClientHttp:
    """A FournisseurSms. Create and close it in the event loop that uses it."""

    def __init__(self, reglages: FournisseurHttp) -> None:
        self._reglages = reglages
        entetes = dict(reglages.entetes)
        if cle := reglages.cle.get_secret_value():
            entetes[reglages.entete_cle] = cle
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(keepalive_timeout=_REPOS_S),
            headers=entetes,
            timeout=aiohttp.ClientTimeout(total=reglages.delai_s, connect=reglages.connexion_s),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        self._vu_at = float("-inf")

    @property
    def nom(self) -> str:
        return self._reglages.nom

    async def pret(self) -> None:
        """Checks that something listens: HTTP has no other check that sends nothing."""
        if time.monotonic() - self._vu_at < _ROUVERTURE_S:
            return
        parts = urlsplit(self._reglages.url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            async with asyncio.timeout(self._reglages.connexion_s):
                _, writer = await asyncio.open_connection(parts.hostname, port)
        except (OSError, TimeoutError) as error:
            raise Injoignable("http injoignable", self.nom) from error
        writer.close()
        self._vu_at = time.monotonic()

    async def envoyer(self, numero: str, texte: str, envoi_id: str) -> Recu:
        if not texte:
            raise Permanent("sms vide", self.nom)
        try:
            parties = compter(texte)
        except ValueError as error:
            raise Permanent("sms trop long", self.nom) from error
        champs = {
            "numero": numero,
            "texte": texte,
            "reference": envoi_id,
            "expediteur": self._reglages.expediteur,
        }
        statut, corps = await self._demander(champs)
        if not 200 <= statut < 300:
            raise refus_http(statut, corps, self.nom)
        self._vu_at = time.monotonic()
        return Recu(self.nom, _reference(corps, self._reglages.chemin_reference), parties)

    async def fermer(self) -> None:
        await self._session.close()

    async def _demander(self, champs: Mapping[str, str]) -> tuple[int, bytes]:
        """Returns status and beginning of the body. Raises Injoignable before anything was sent, Inconnu afterwards."""
        reglages = self._reglages
        corps = None if reglages.methode == "GET" else orjson.dumps(_remplir(reglages.corps, champs))
        try:
            reponse = await self._session.request(
                reglages.methode,
                _remplir_url(reglages.url, champs),
                data=corps,
                headers={"Content-Type": "application/json"} if corps is not None else None,
                # A redirect would send the key and the number elsewhere.
                allow_redirects=False,
            )
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise Injoignable("http injoignable", self.nom) from error
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise Inconnu("http sans réponse", self.nom) from error
        async with reponse:
            try:
                return reponse.status, await _lire(reponse)
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                # The status is enough; only the id is lost.
                log.info("http_answer_cut", provider=self.nom, error=type(error).__name__)
                return reponse.status, b""


async def _lire(reponse: aiohttp.ClientResponse) -> bytes:
    """Reads the body; returns an empty one when it is too large."""
    morceaux = bytearray()
    async for morceau in reponse.content.iter_chunked(_CORPS_MAX):
        morceaux += morceau
        if len(morceaux) > _CORPS_MAX:
            reponse.close()
            return b""
    return bytes(morceaux)


def _remplir(modele: JsonValue, champs: Mapping[str, str]) -> JsonValue:
    """Fills all placeholders in one pass, so that "{numero}" in somebody's text is not replaced."""
    if isinstance(modele, str):
        return _CHAMP.sub(lambda champ: champs[champ[1]], modele)
    if isinstance(modele, Mapping):
        return {cle: _remplir(valeur, champs) for cle, valeur in modele.items()}
    if isinstance(modele, list):
        return [_remplir(valeur, champs) for valeur in modele]
    return modele


def _remplir_url(modele: str, champs: Mapping[str, str]) -> URL:
    # Encoded here; yarl would decode some of it again.
    return URL(_CHAMP.sub(lambda champ: quote(champs[champ[1]], safe=""), modele), encoded=True)


def _reference(corps: bytes, chemin: str) -> str | None:
    """The id at `chemin`; None when the response has none, although the message was accepted."""
    try:
        valeur: Any = orjson.loads(corps)
        for pas in chemin.split("."):
            valeur = valeur[int(pas)] if isinstance(valeur, list) else valeur[pas]
    except (orjson.JSONDecodeError, LookupError, TypeError, ValueError):
        return None
    if isinstance(valeur, bool) or not isinstance(valeur, str | int):
        return None
    return str(valeur)[:_REFERENCE_MAX] or None
