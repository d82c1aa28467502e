"""The SMTP side: which addresses exist here, and 250 only once the mail is stored.

What is refused is refused while the other server is still there: it tells its own user, and we write to nobody.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from kit.clock import Clock
from kit.logging import get_logger
from services.notifications.canaux.email import bounces
from services.notifications.conversations.addresses import AdressesDeReponse
from services.notifications.conversations.fils import Fils
from services.notifications.metrics import COURRIELS_REFUSES
from services.notifications.registre.receipts import ProviderReports
from services.notifications.reponses_email.store import TAILLE_MAX, CourrielsRecus, Sature

log = get_logger(__name__)

DESTINATAIRES_MAX = 10
_CONNEXIONS_MAX = 100
_INACTIVITE_S = 60.0

INCONNUE = "550 5.1.1 Adresse inconnue"
PERIMEE = "550 5.1.1 Cette adresse de reponse n'est plus valable : repondez sur le site"
NON_LUE = "550 5.7.1 Personne ne lit cette adresse : repondez sur le site"
SATUREE = "450 4.2.1 Trop de courriels a cette adresse : reessayez dans une heure"
TROP_DE_DESTINATAIRES = "452 4.5.3 Dix destinataires au plus"
OCCUPE = "421 4.3.2 Trop de connexions : reessayez plus tard"
PANNE = "451 4.3.0 Panne passagere : reessayez plus tard"


class Portier:
    """aiosmtpd's hooks; their names are its own."""

    def __init__(
        self,
        adresses: AdressesDeReponse,
        fils: Fils,
        courriels: CourrielsRecus,
        suivi: ProviderReports,
        clock: Clock,
        adresse_de_retour: str,
        prevenir: Callable[[], None],
    ) -> None:
        """`adresse_de_retour`: the sender of our mails, to which bounces come; its domain is that of our Message-IDs.
        `prevenir` is called when a mail is stored."""
        self._adresses = adresses
        self._fils = fils
        self._courriels = courriels
        self._suivi = suivi
        self._clock = clock
        self._adresse_de_retour = adresse_de_retour.casefold()
        self._prevenir = prevenir

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if len(envelope.rcpt_tos) >= DESTINATAIRES_MAX:
            return _refus(TROP_DE_DESTINATAIRES)
        refus = await _sans_panne(lambda: self._refus_de(address))
        if refus is not None:
            return _refus(refus)
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        brut = envelope.content if isinstance(envelope.content, bytes) else b""
        jetons = [jeton for a in dict.fromkeys(envelope.rcpt_tos) if (jeton := self._adresses.jeton_de(a))]
        if jetons:
            refus = await _sans_panne(lambda: self._garder(brut, jetons))
        else:
            refus = await _sans_panne(lambda: self._noter_retour(brut, (envelope.mail_from or "").strip("<>")))
        return "250 2.0.0 OK" if refus is None else _refus(refus)

    async def handle_exception(self, error: Exception) -> str:
        log.exception("inbound_mail_failed", exc_info=error)
        return PANNE

    async def _refus_de(self, adresse: str) -> str | None:
        if adresse.strip().casefold() == self._adresse_de_retour:
            return None
        jeton = self._adresses.jeton_de(adresse)
        fil = await self._fils.trouver(jeton) if jeton else None
        if fil is None:
            return INCONNUE
        if not fil.valable(self._clock.now()):
            return PERIMEE
        return SATUREE if await self._fils.sature(fil.jeton) else None

    async def _garder(self, brut: bytes, jetons: list[str]) -> str | None:
        try:
            await self._courriels.garder(brut, jetons)
        except Sature:
            return SATUREE
        self._prevenir()
        return None

    async def _noter_retour(self, brut: bytes, de: str) -> str | None:
        """A mail to our return address: what a mail system says of a message of ours is stored, nothing else is."""
        domaine = self._adresse_de_retour.rpartition("@")[2]
        if retours := bounces.lire(brut, self._clock.now(), domaine):
            await self._suivi.recevoir(retours)
            return None
        # Without a sender it comes from a program, which a refusal would only make write again.
        return NON_LUE if de else None


async def _sans_panne(action: Callable[[], Awaitable[str | None]]) -> str | None:
    """What `action` answers; whatever fails of ours is no verdict on the mail: its server tries again."""
    try:
        return await action()
    except Exception as error:
        log.warning("inbound_mail_put_off", error=type(error).__name__)
        return PANNE


def _refus(reponse: str) -> str:
    COURRIELS_REFUSES.labels(reponse[:3]).inc()
    return reponse


def contexte_tls(certificat: str, cle: str) -> ssl.SSLContext | None:
    """For STARTTLS; None unless both files are named. Raises OSError for files that cannot be used."""
    if not (certificat and cle):
        return None
    contexte = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    contexte.load_cert_chain(certificat, cle)
    return contexte


class Serveur:
    """Listens while `run` runs; `port` 0 takes a free one."""

    def __init__(self, portier: Portier, host: str, port: int, tls: ssl.SSLContext | None, nom: str) -> None:
        """`nom`: how the server presents itself."""
        self._portier = portier
        self._host = host
        self._port = port
        self._tls = tls
        self._nom = nom
        self._ouvertes = 0
        self.ecoute: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        """The port, once connections are taken."""

    async def run(self, stopping: asyncio.Event) -> None:
        """Until `stopping`; a mail in the middle is then not acknowledged, and its server sends it again."""
        serveur = await asyncio.get_running_loop().create_server(self._protocole, self._host, self._port, backlog=128)
        self.ecoute.set_result(serveur.sockets[0].getsockname()[1])
        try:
            await stopping.wait()
        finally:
            serveur.close()

    async def verifier(self) -> None:
        """For the health page. Raises ConnectionError before connections are taken."""
        if not self.ecoute.done():
            raise ConnectionError("smtp does not listen yet")

    def _protocole(self) -> SMTP:
        return _Session(
            self,
            self._portier,
            data_size_limit=TAILLE_MAX,
            enable_SMTPUTF8=True,
            # Given: aiosmtpd would otherwise ask the DNS for ours at every connection.
            hostname=self._nom,
            ident="Place des assos",
            tls_context=self._tls,
            timeout=_INACTIVITE_S,
            loop=asyncio.get_running_loop(),
        )

    def admettre(self) -> bool:
        self._ouvertes += 1
        return self._ouvertes <= _CONNEXIONS_MAX

    def quitter(self) -> None:
        self._ouvertes -= 1


class _Session(SMTP):
    """One connection, counted."""

    def __init__(self, serveur: Serveur, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._serveur = serveur
        self._comptee = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not self._comptee:
            # STARTTLS makes the same connection again.
            self._comptee = True
            if not self._serveur.admettre() and isinstance(transport, asyncio.WriteTransport):
                transport.write(f"{OCCUPE}\r\n".encode())
                transport.close()
                return
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self._comptee:
            self._comptee = False
            self._serveur.quitter()
        super().connection_lost(error)
