"""Creates the configured channels and their providers from the settings."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from pydantic import SecretStr

from contracts.notifications import Canal
from kit.database.mongo import Database
from kit.errors import is_outage
from kit.logging import get_logger
from services.notifications.canaux.base import Canal as CanalDe
from services.notifications.canaux.email.canal import CanalEmail
from services.notifications.canaux.feedback import Verdict
from services.notifications.canaux.provider_weights import Bascule, ProviderWeights, Raison, WeightedChoice
from services.notifications.canaux.push.canal import CanalPush
from services.notifications.canaux.rate_limit import RateLimiter, connecter, lire_limites
from services.notifications.canaux.sms.canal import CanalSms
from services.notifications.canaux.sms.fournisseur import FournisseurSms, Recevoir
from services.notifications.canaux.sms.http import ClientHttp, FournisseurHttp
from services.notifications.canaux.sms.smpp.session import SessionSmpp
from services.notifications.domain import LOT_MAX
from services.notifications.metrics import BASCULES, RETOURS
from services.notifications.settings import Reglages

log = get_logger(__name__)

SMPP, HTTP = "smpp", "http"
"""Names of the two SMS providers in the ledger; the second is also in the URL of its callbacks."""

# Create the series with value 0, so that the first occurrence is visible as an increase.
for _nom, _autre in ((SMPP, HTTP), (HTTP, SMPP)):
    for _raison in Raison:
        BASCULES.labels(_nom, _autre, _raison.value)
    for _verdict in Verdict:
        RETOURS.labels(_nom, _verdict.value)

Boucle = Callable[[asyncio.Event], Awaitable[None]]


class Bascules:
    """Stores every change of weights in `bascules` {at, canal, de, vers, points, raison, poids}."""

    def __init__(self, db: Database) -> None:
        self._bascules = db.bascules
        self._file: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    def noter(self, canal: Canal, bascule: Bascule) -> None:
        BASCULES.labels(bascule.de, bascule.vers, bascule.raison.value).inc()
        log.warning("provider_weights", canal=canal, de=bascule.de, vers=bascule.vers, raison=bascule.raison.value)
        ligne = {**vars(bascule), "raison": bascule.raison.value, "poids": dict(bascule.poids), "canal": canal.value}
        self._file.put_nowait(ligne)

    async def run(self, stopping: asyncio.Event) -> None:
        """Stores changes until `stopping` is set; they wait while the database is away."""
        arret = asyncio.create_task(stopping.wait())
        try:
            while not stopping.is_set():
                suivante = asyncio.create_task(self._file.get())
                await asyncio.wait({suivante, arret}, return_when=asyncio.FIRST_COMPLETED)
                if not suivante.done():
                    suivante.cancel()
                    return
                await self._garder(suivante.result())
        finally:
            arret.cancel()

    async def _garder(self, ligne: dict[str, Any]) -> None:
        try:
            await self._bascules.insert_one(ligne)
        except Exception as error:
            if not is_outage(error):
                raise
            # The change is in the log; the weights themselves are in memory.
            log.warning("provider_weights_not_stored", error=type(error).__name__)


class Fournisseurs:
    """`canaux`: the configured channels. `boucles`: loops that must run for them."""

    def __init__(self, settings: Reglages, db: Database, recevoir: Recevoir) -> None:
        """`recevoir` gets what arrives over SMPP. Raises ValueError for invalid settings."""
        self.bascules = Bascules(db)
        self._clients: list[ClientHttp] = []
        self._redis = connecter(settings.redis_url)
        limites = lire_limites(settings.debits, max(LOT_MAX.values()))
        cadence = RateLimiter(self._redis, limites, processus=settings.processus).attendre
        email = CanalEmail(settings.smtp_url, settings.expediteur_adresse, cadence=cadence)
        self.canaux: list[CanalDe] = [email]
        self.boucles: list[Boucle] = [self.bascules.run]
        if sms := self._sms(settings, recevoir):
            poids = ProviderWeights(_parts([fournisseur.nom for fournisseur in sms]))
            aiguillage = WeightedChoice(poids, lambda bascule: self.bascules.noter(Canal.SMS, bascule))
            self.canaux.append(CanalSms(sms, aiguillage, cadence))
        if settings.cle_vapid:
            self.canaux.append(CanalPush(settings.cle_vapid, f"mailto:{settings.expediteur_adresse}"))

    def _sms(self, settings: Reglages, recevoir: Recevoir) -> list[FournisseurSms]:
        fournisseurs: list[FournisseurSms] = []
        if settings.smpp_url:
            session = SessionSmpp(_avec_mot_de_passe(settings.smpp_url, settings.smpp_mot_de_passe), SMPP, recevoir)
            self.boucles.append(session.run)
            fournisseurs.append(session)
        if settings.sms_http_url:
            client = ClientHttp(
                FournisseurHttp(
                    nom=HTTP,
                    url=settings.sms_http_url,
                    cle=SecretStr(f"Bearer {settings.sms_http_cle}"),
                    entete_cle="Authorization",
                    expediteur=settings.sms_expediteur,
                )
            )
            self._clients.append(client)
            fournisseurs.append(client)
        return fournisseurs

    async def fermer(self) -> None:
        for client in self._clients:
            await client.fermer()
        await self._redis.aclose()


def _parts(noms: list[str]) -> dict[str, int]:
    """Equal shares of 100 points."""
    base, reste = divmod(100, len(noms))
    return {nom: base + (rang < reste) for rang, nom in enumerate(noms)}


def _avec_mot_de_passe(url: str, mot_de_passe: str) -> str:
    """Inserts the password from its own file into the URL, unless the URL has one."""
    parts = urlsplit(url)
    if not mot_de_passe or parts.password:
        return url
    hote = parts.netloc.rpartition("@")[2]
    acces = f"{quote(parts.username or '', safe='')}:{quote(mot_de_passe, safe='')}@{hote}"
    return urlunsplit(parts._replace(netloc=acces))
