"""E-mail by SMTP over connections that stay open: one mail costs four commands and no handshake."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib
from aiosmtplib import SMTP, SMTPResponseException

from contracts.notifications import Canal as NomDeCanal
from kit.logging import get_logger
from services.notifications.canaux.base import EchecRemise, Inconnu, Injoignable, Permanent, Temporaire

log = get_logger(__name__)

# For each answer; the lease on what is being handed over is prolonged meanwhile.
_DELAI_S = 30.0
_CODE_DETAILLE = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")
_SERVICE_FERME = 421
_COUPURES = (aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPTimeoutError, ConnectionError, TimeoutError, OSError)


@dataclass(frozen=True)
class Serveur:
    hote: str
    port: int
    tls: bool = False
    starttls: bool = False
    utilisateur: str | None = None
    mot_de_passe: str | None = None


def lire_url(url: str) -> Serveur:
    """smtp://[user:password@]host[:port][?starttls=1] or smtps://…; raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise ValueError("SMTP_URL must look like smtp://host:port or smtps://user:password@host")
    tls = parts.scheme == "smtps"
    return Serveur(
        parts.hostname,
        parts.port or (465 if tls else 25),
        tls,
        parse_qs(parts.query).get("starttls") == ["1"],
        unquote(parts.username) if parts.username else None,
        unquote(parts.password) if parts.password else None,
    )


class CanalEmail:
    nom = NomDeCanal.EMAIL

    def __init__(self, url: str, expediteur: str) -> None:
        """`expediteur` is the address of MAIL FROM. Raises ValueError for a malformed `url`."""
        self._serveur = lire_url(url)
        self._expediteur = expediteur

    def connexion(self) -> "ConnexionSmtp":
        return ConnexionSmtp(self._serveur, self._expediteur)


class ConnexionSmtp:
    def __init__(self, serveur: Serveur, expediteur: str) -> None:
        self._serveur = serveur
        self._expediteur = expediteur
        self._smtp: SMTP | None = None

    async def preparer(self) -> None:
        if self._smtp is not None and self._smtp.is_connected:
            return
        smtp = SMTP(
            hostname=self._serveur.hote,
            port=self._serveur.port,
            use_tls=self._serveur.tls,
            start_tls=self._serveur.starttls,
            username=self._serveur.utilisateur,
            password=self._serveur.mot_de_passe,
            timeout=_DELAI_S,
        )
        try:
            await smtp.connect()
            await smtp.ehlo()
        except (aiosmtplib.SMTPException, OSError) as error:
            smtp.close()
            raise Injoignable("smtp injoignable") from error
        self._smtp = smtp

    async def remettre(self, adresse: str, message: bytes) -> None:
        await self.preparer()
        smtp = self._smtp
        if smtp is None:
            raise Injoignable("smtp injoignable")
        # Written out: mail() and rcpt() parse an address that was checked when stored, a tenth of the whole cost.
        await self._commander(smtp, f"MAIL FROM:<{self._expediteur}>")
        await self._commander(smtp, f"RCPT TO:<{adresse}>")
        try:
            await smtp.data(message)
        except SMTPResponseException as error:
            await self._apres_un_refus(smtp, error.code)
            raise _refus(error.code, error.message) from error
        except _COUPURES as error:
            # The server may have stored it before the connection went: RFC 1047 leaves no way to know.
            self._oublier()
            raise Inconnu("smtp sans réponse") from error

    async def _commander(self, smtp: SMTP, commande: str) -> None:
        """One command before the message: when the connection goes here, nothing was handed over."""
        try:
            reponse = await smtp.execute_command(commande.encode("ascii"))
        except _COUPURES as error:
            self._oublier()
            raise Injoignable("smtp coupé") from error
        if not 200 <= reponse.code < 300:
            await self._apres_un_refus(smtp, reponse.code)
            raise _refus(reponse.code, reponse.message)

    async def _apres_un_refus(self, smtp: SMTP, code: int) -> None:
        """Leaves the connection ready for the next mail, or drops it."""
        if code == _SERVICE_FERME:
            return self._oublier()
        try:
            await smtp.rset()
        except (aiosmtplib.SMTPException, OSError) as error:
            log.info("smtp_connection_dropped", error=type(error).__name__)
            self._oublier()

    def _oublier(self) -> None:
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = None

    async def fermer(self) -> None:
        smtp, self._smtp = self._smtp, None
        if smtp is None or not smtp.is_connected:
            return
        try:
            await smtp.quit(timeout=2)
        except (aiosmtplib.SMTPException, OSError) as error:
            log.info("smtp_quit_failed", error=type(error).__name__)
            smtp.close()


def _refus(code: int, texte: str) -> EchecRemise:
    """The code alone: the text of a server often repeats the address."""
    detaille = _CODE_DETAILLE.match(texte)
    motif = f"smtp {code}" + (f" {detaille.group()}" if detaille else "")
    if code == _SERVICE_FERME:
        return Injoignable(motif)
    return Permanent(motif) if code >= 500 else Temporaire(motif)
