"""Web Push: encrypts a message for one browser (RFC 8291), signs it with our key (VAPID, RFC 8292), and posts it to the
browser's push service (RFC 8030).

encryption.py encrypts and signs. Redirects are not followed, because they would bypass the list of hosts. An
unreachable service is distinguished from one that received the message and did not answer.
"""

import asyncio
import base64
import hashlib
import time
from collections.abc import Callable, Sequence

import aiohttp
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from yarl import URL

from contracts.notifications import Canal as NomDeCanal
from services.notifications.canaux.base import Colis, Inconnu, Injoignable, Issue, NousRefuse, Permanent, Recu, Sature
from services.notifications.canaux.faults import Faute, echec, relire
from services.notifications.canaux.provider_pauses import ProviderPauses
from services.notifications.canaux.push.encryption import CONTENU_MAX, Signature, chiffrer

FOURNISSEUR = "push"

HOTES = (
    # Chrome and browsers based on it: https://firebase.google.com/docs/cloud-messaging
    "fcm.googleapis.com",
    # Firefox: https://mozilla-push-service.readthedocs.io/
    "updates.push.services.mozilla.com",
    "push.services.mozilla.com",
    # Safari: https://developer.apple.com/documentation/usernotifications/sending-web-push-notifications-in-web-apps-and-browsers
    "web.push.apple.com",
    # Edge on Windows: https://learn.microsoft.com/windows/apps/develop/notifications/push-notifications/wns-overview
    "notify.windows.com",
)
"""Hosts of the browsers' push services, including their subdomains (Windows has one per region)."""

ABONNEMENT_PERDU = frozenset({"push 404", "push 410"})
"""Motives that mean that the browser is no longer subscribed (RFC 8030 §7.3)."""

_VALABLE_S = 24 * 3600
"""How long a push service keeps a message for a browser that is off; after a day an alert is obsolete."""

_CONNEXION_S = 10.0
_REPONSE_S = 30.0
_ENSEMBLE = 16
# Close idle connections before the server does: a POST on a connection that the server just closed gets no answer.
_REPOS_S = 4.0
_REPRENABLES = frozenset({408, 425, 429})
_NOTRE_CLE = frozenset({401, 402, 403, 405, 407})
"""Refusals of our VAPID key, signature, contact or account: no browser of this service would get anything."""


def hote_admis(adresse: str, hotes: Sequence[str] = HOTES, schemas: Sequence[str] = ("https",)) -> bool:
    """Whether a subscription may use this address. Subscribers choose the address that we call; without this list it
    could be one of our own servers."""
    try:
        return _admise(URL(adresse), hotes, schemas)
    except ValueError:
        return False


def _admise(url: URL, hotes: Sequence[str], schemas: Sequence[str]) -> bool:
    hote = url.raw_host or ""
    connu = any(hote == admis or hote.endswith(f".{admis}") for admis in hotes)
    sur = url.scheme == "http" or url.port == 443
    return connu and url.scheme in schemas and sur and url.raw_user is None and url.raw_password is None


class _Cles(BaseModel):
    """RFC 8291 §3: a point of P-256 (65 bytes) and a secret (16 bytes), as base64url."""

    p256dh: str = Field(pattern=r"^[A-Za-z0-9_-]{87}=?$")
    auth: str = Field(pattern=r"^[A-Za-z0-9_-]{22}(==)?$")

    @property
    def point(self) -> bytes:
        return _octets(self.p256dh)

    @property
    def secret(self) -> bytes:
        return _octets(self.auth)


def _octets(texte: str) -> bytes:
    # The decoder requires padding, but accepts too much of it.
    return base64.urlsafe_b64decode(texte + "==")


class _Abonnement(BaseModel):
    """A PushSubscription as browsers write it; other fields are ignored."""

    model_config = ConfigDict(extra="ignore")

    endpoint: str = Field(max_length=2048)
    keys: _Cles


class CanalPush:
    """`cle_privee`: PEM of an EC key on P-256. `contact`: mailto:… or https://…, for the push services in case of
    problems. `en_clair` also allows http, for tests on this machine. Raises ValueError for a key or contact that push
    services would refuse."""

    def __init__(
        self,
        cle_privee: str,
        contact: str,
        hotes: Sequence[str] = HOTES,
        *,
        en_clair: bool = False,
        reponse_s: float = _REPONSE_S,
        horloge: Callable[[], float] = time.time,
    ) -> None:
        self._signature = Signature(cle_privee, contact, horloge)
        self._hotes = tuple(hotes)
        self._schemas = ("https", "http") if en_clair else ("https",)
        self._reponse_s = reponse_s
        self._retenues = ProviderPauses(NomDeCanal.PUSH)

    @property
    def nom(self) -> NomDeCanal:
        return NomDeCanal.PUSH

    def connexion(self) -> "ConnexionPush":
        return ConnexionPush(self._signature, self._hotes, self._schemas, self._retenues, self._reponse_s)


class ConnexionPush:
    """Connections to all push services: the browsers of a batch use several, and one that is away does not block the
    others."""

    def __init__(
        self,
        signature: Signature,
        hotes: Sequence[str],
        schemas: Sequence[str],
        retenues: ProviderPauses,
        reponse_s: float = _REPONSE_S,
    ) -> None:
        """`retenues`: pauses of push services that refuse our key, by origin."""
        self._signature = signature
        self._retenues = retenues
        self._hotes = hotes
        self._schemas = schemas
        self._delais = aiohttp.ClientTimeout(total=_CONNEXION_S + reponse_s, connect=_CONNEXION_S, sock_read=reponse_s)
        self._session: aiohttp.ClientSession | None = None

    async def preparer(self) -> None:
        """Opens nothing: the service to call depends on the message."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=_ENSEMBLE, keepalive_timeout=_REPOS_S),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=self._delais,
            )

    async def remettre(self, colis: Sequence[Colis], tenu: Callable[[], bool]) -> list[Issue]:
        """Sends several messages at once; starts each only while `tenu` returns True."""
        await self.preparer()
        places = asyncio.Semaphore(_ENSEMBLE)

        async def une(un: Colis) -> tuple[str, Issue]:
            async with places:
                if not tenu():
                    return "", Injoignable("push non commence", FOURNISSEUR)
                return await self._remettre(un)

        return self._apprendre(await asyncio.gather(*(une(un) for un in colis)))

    def _apprendre(self, faits: Sequence[tuple[str, Issue]]) -> list[Issue]:
        """Pauses a service that refuses our key, unless it accepted other messages of the batch: then only one
        subscription was made with another key."""
        issues = [issue for _, issue in faits]
        for origine in {origine for origine, _ in faits if origine}:
            rangs = [rang for rang, (autre, _) in enumerate(faits) if autre == origine]
            lues = relire([issues[rang] for rang in rangs], (NousRefuse, Sature))
            self._retenues.apprendre(origine, lues)
            for rang, issue in zip(rangs, lues, strict=True):
                issues[rang] = issue
        return issues

    async def fermer(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _remettre(self, colis: Colis) -> tuple[str, Issue]:
        """Returns the origin of the push service that was called ("" if none), and the outcome."""
        contenu = colis.contenu.encode() if isinstance(colis.contenu, str) else colis.contenu
        if not contenu or len(contenu) > CONTENU_MAX:
            return "", Permanent("push longueur", FOURNISSEUR)
        try:
            abonnement = _Abonnement.model_validate_json(colis.adresse)
            url = URL(abonnement.endpoint)
        except (ValidationError, ValueError):
            return "", Permanent("push abonnement illisible", FOURNISSEUR)
        if not _admise(url, self._hotes, self._schemas):
            return "", Permanent("push hote refuse", FOURNISSEUR)
        try:
            corps = chiffrer(contenu, abonnement.keys.point, abonnement.keys.secret)
        except ValueError:
            # Well-formed, but not a point on the curve.
            return "", Permanent("push abonnement illisible", FOURNISSEUR)
        origine = str(url.origin())
        if self._retenues.parmi((origine,)):
            return "", NousRefuse("push service retenu", FOURNISSEUR)
        return origine, await self._poster(url, corps, colis.envoi_id)

    async def _poster(self, url: URL, corps: bytes, envoi_id: str) -> Issue:
        assert self._session is not None
        entetes = {
            "Authorization": self._signature.pour(str(url.origin())),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(_VALABLE_S),
            "Topic": _sujet(envoi_id),
            "Urgency": "high",
        }
        try:
            async with self._session.post(url, data=corps, headers=entetes, allow_redirects=False) as answer:
                return _issue(answer.status)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            return Injoignable("push injoignable", FOURNISSEUR)
        except (aiohttp.ClientError, TimeoutError, OSError):
            return Inconnu("push sans reponse", FOURNISSEUR)


def _sujet(envoi_id: str) -> str:
    """The topic (RFC 8030 §5.4, 32 characters): a repeated message replaces the first one while that is undelivered."""
    return base64.urlsafe_b64encode(hashlib.sha256(envoi_id.encode()).digest())[:32].decode()


def _issue(statut: int) -> Issue:
    """RFC 8030 §5 and §7.3: 201 means accepted; 404 and 410 mean that the subscription has ended. Redirects are not
    followed."""
    motif = f"push {statut}"
    if statut in (200, 201, 202):
        return Recu(FOURNISSEUR)
    return echec(_faute(statut), motif, FOURNISSEUR, definitif=True)


def _faute(statut: int) -> Faute:
    if statut in _NOTRE_CLE:
        return Faute.NOTRE
    if statut in (404, 410):
        return Faute.DESTINATAIRE
    if 400 <= statut < 500 and statut not in _REPRENABLES:
        return Faute.MESSAGE
    return Faute.FOURNISSEUR
