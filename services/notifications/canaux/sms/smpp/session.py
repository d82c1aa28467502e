"""An SMS provider over SMPP 3.4: one bound session per process, which sends and receives.

The parts of a long SMS are sent as separate submit_sm, one after the other. Their common reference depends only on the
envoi, so that a phone can combine the parts of a second attempt with those of the first.
"""

import asyncio
import re
import ssl
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from contracts.notifications import Canal
from kit.clock import Clock, SystemClock
from kit.logging import get_logger
from kit.waiting import jitter, wait
from services.notifications.canaux.base import Inconnu, Injoignable, NousRefuse, Permanent, Recu, Temporaire
from services.notifications.canaux.provider_pauses import signaler
from services.notifications.canaux.sms.fournisseur import Recevoir
from services.notifications.canaux.sms.gsm7 import Decoupage, decouper, encoder
from services.notifications.canaux.sms.smpp.concatenation import AVEC_ENTETE, entete
from services.notifications.canaux.sms.smpp.connection import Delais, PasEnvoye, SansReponse, SmppConnection
from services.notifications.canaux.sms.smpp.inbound import Deliveries
from services.notifications.canaux.sms.smpp.multipart import MultipartReceipts
from services.notifications.canaux.sms.smpp.pdu import (
    COURT,
    INTERNATIONAL,
    NOM,
    RESEAU,
    Adresse,
    Commande,
    Message,
    Statut,
    corps_bind,
    corps_submit,
    lire_reference,
)
from services.notifications.canaux.sms.verdicts import lie_refuse, refus_smpp

log = get_logger(__name__)

_PORT, _PORT_TLS = 2775, 3550
_IDENTIFIANT_MAX, _MOT_DE_PASSE_MAX = 15, 8
_SOURCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,10}")
_NUMERO = re.compile(r"\d{3,15}")
_COURT_MAX = 6
_PAUSE_MAX_S = 30.0
_MENAGE_S = 15.0


@dataclass(frozen=True)
class Smsc:
    hote: str
    port: int
    identifiant: str
    mot_de_passe: str
    source: Adresse
    tls: bool = False


def lire_url(url: str) -> Smsc:
    """Parses smpp://system_id:password@host[:port]?source=NAME, or smpps://… for TLS. Raises ValueError, without
    quoting the URL.

    `source`: the sender shown to people: a name of up to 11 characters, a number with country code, or a short number.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ValueError("the port of the SMPP URL is not a number") from error
    if parts.scheme not in ("smpp", "smpps") or not parts.hostname or not parts.username:
        raise ValueError("an SMPP URL must look like smpp://system_id:password@host:port?source=NAME")
    identifiant, mot_de_passe = unquote(parts.username), unquote(parts.password or "")
    if not (identifiant + mot_de_passe).isascii():
        raise ValueError("system_id and password of an SMPP URL are ASCII")
    if len(identifiant) > _IDENTIFIANT_MAX or len(mot_de_passe) > _MOT_DE_PASSE_MAX:
        raise ValueError(f"SMPP 3.4: system_id has at most {_IDENTIFIANT_MAX} characters, password {_MOT_DE_PASSE_MAX}")
    tls = parts.scheme == "smpps"
    # An unescaped "+" was decoded as a space.
    source = _source(parse_qs(parts.query).get("source", [""])[0].strip().removeprefix("+"))
    return Smsc(parts.hostname, port or (_PORT_TLS if tls else _PORT), identifiant, mot_de_passe, source, tls)


def _source(texte: str) -> Adresse:
    if _NUMERO.fullmatch(texte):
        return Adresse(texte, COURT, 0) if len(texte) <= _COURT_MAX else Adresse(texte, INTERNATIONAL, RESEAU)
    if _SOURCE.fullmatch(texte):
        return Adresse(texte, NOM, 0)
    raise ValueError("source of an SMPP URL: a name of at most 11 letters and digits, or a number")


class SessionSmpp:
    """A FournisseurSms. `run` keeps it bound; any number of tasks may call `envoyer` meanwhile."""

    def __init__(
        self,
        url: str,
        nom: str,
        recevoir: Recevoir,
        *,
        clock: Clock | None = None,
        fenetre: int = 10,
        delais: Delais | None = None,
        pauses: Sequence[float] = (0.5, 2.0, 5.0),
    ) -> None:
        """`fenetre`: number of submit_sm that may wait for a response. `pauses`: seconds before each retry of a later
        part that is refused temporarily. Raises ValueError for a malformed `url`."""
        self._smsc = lire_url(url)
        self._nom = nom
        self._delais = delais or Delais()
        self._fenetre = asyncio.Semaphore(fenetre)
        self._pauses = pauses
        self._parties = MultipartReceipts()
        self._reception = Deliveries(nom, recevoir, self._parties, clock or SystemClock())
        self._receptions: set[asyncio.Task[None]] = set()
        self._lien: SmppConnection | None = None
        self._refuse = False
        """True when the last bind was refused because of our name, password or rights."""
        self._lie = asyncio.Event()

    @property
    def nom(self) -> str:
        return self._nom

    async def run(self, stopping: asyncio.Event) -> None:
        """Stays bound until `stopping` is set; reconnects with growing pauses. Stop it after those who send."""
        menage = asyncio.create_task(self._menage(stopping))
        pause = self._delais.pause
        try:
            while not stopping.is_set():
                if await self._tenir(stopping):
                    pause = self._delais.pause
                await wait(stopping, jitter(pause))
                pause = min(pause * 2, _PAUSE_MAX_S)
        finally:
            menage.cancel()
            await asyncio.gather(menage, return_exceptions=True)
            await self._finir_receptions()

    async def pret(self) -> None:
        """Returns once bound. Raises Injoignable after a moment; NousRefuse when the provider refuses our bind."""
        try:
            async with asyncio.timeout(self._delais.pret):
                # The connection may be closed although `run` has not noticed yet.
                while self._lien is None or not self._lien.ouvert:
                    self._lie.clear()
                    await self._lie.wait()
        except TimeoutError as error:
            raise (NousRefuse if self._refuse else Injoignable)("smpp injoignable", self._nom) from error

    async def envoyer(self, numero: str, texte: str, envoi_id: str) -> Recu:
        """Hands one SMS over, in as many parts as needed; `reference` is the id of the first. Raises EchecRemise.

        If a later part fails, no phone can show the message: the whole message has failed and may be sent again.
        Inconnu: a submit_sm was not answered.
        """
        if not texte:
            raise Permanent("sms vide", self._nom)
        try:
            decoupe = decouper(texte)
        except ValueError as error:
            raise Permanent("sms trop long", self._nom) from error
        message = Message(self._smsc.source, _destination(numero), b"", data_coding=decoupe.codage)
        if len(decoupe.parties) == 1:
            return Recu(
                self._nom, await self._soumettre(replace(message, contenu=encoder(*decoupe.parties, decoupe.codage)))
            )
        return await self._envoyer_parties(replace(message, esm_class=AVEC_ENTETE), decoupe, envoi_id)

    async def _envoyer_parties(self, message: Message, decoupe: Decoupage, envoi_id: str) -> Recu:
        total, numero = len(decoupe.parties), zlib.crc32(envoi_id.encode()) & 0xFF
        premiere: str | None = None
        with self._parties.envoi(total) as groupe:
            for rang, partie in enumerate(decoupe.parties, start=1):
                contenu = entete(numero, total, rang) + encoder(partie, decoupe.codage)
                reference = await self._insister(replace(message, contenu=contenu), self._pauses if rang > 1 else ())
                if reference is not None:
                    self._parties.noter(groupe, reference)
                if rang == 1:
                    premiere = reference
        return Recu(self._nom, premiere, total)

    async def _insister(self, message: Message, pauses: Sequence[float]) -> str | None:
        """Retries temporary refusals, because the parts before this one are paid already."""
        for pause in pauses:
            try:
                return await self._soumettre(message)
            except Temporaire:
                await asyncio.sleep(jitter(pause))
        return await self._soumettre(message)

    async def _soumettre(self, message: Message) -> str | None:
        """Sends one submit_sm; returns the provider's id."""
        async with self._fenetre:
            lien = self._lien
            if lien is None:
                raise (NousRefuse if self._refuse else Injoignable)("smpp injoignable", self._nom)
            try:
                reponse = await lien.demander(Commande.SUBMIT_SM, corps_submit(message))
            except PasEnvoye as error:
                raise Injoignable("smpp coupé", self._nom) from error
            except SansReponse as error:
                raise Inconnu("smpp sans réponse", self._nom) from error
        if reponse.commande == Commande.GENERIC_NACK or reponse.statut != Statut.OK:
            if reponse.statut == Statut.NON_LIE:
                # The provider has lost our session: only a new bind helps.
                lien.couper()
            raise refus_smpp(reponse.statut, self._nom)
        return lire_reference(reponse.corps)

    async def _tenir(self, stopping: asyncio.Event) -> bool:
        """One connection from opening to end. Returns True when it was bound."""
        smsc = self._smsc
        try:
            async with asyncio.timeout(self._delais.connexion):
                contexte = ssl.create_default_context() if smsc.tls else None
                reader, writer = await asyncio.open_connection(smsc.hote, smsc.port, ssl=contexte)
        except (OSError, TimeoutError) as error:
            log.warning("smpp_unreachable", provider=self._nom, error=type(error).__name__)
            return False
        lien = SmppConnection(reader, writer, self._reception.traiter, self._receptions, self._delais)
        # Before the bind, because the provider may deliver right after its response.
        self._reception.redites.nouvelle_connexion()
        lecture = asyncio.create_task(lien.lire())
        taches: list[asyncio.Task[Any]] = [lecture]
        try:
            if not await self._lier(lien):
                return False
            taches += [asyncio.create_task(lien.battre()), asyncio.create_task(stopping.wait())]
            self._lien = lien
            self._lie.set()
            log.info("smpp_bound", provider=self._nom)
            await asyncio.wait(taches, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._lien = None
            self._lie.clear()
            if stopping.is_set():
                await lien.delier()
            await lien.fermer()
            for tache in taches:
                tache.cancel()
            await asyncio.gather(*taches, return_exceptions=True)
        # An error of ours, not of the provider: it ends the process.
        if not lecture.cancelled():
            lecture.result()
        return True

    async def _finir_receptions(self) -> None:
        """Waits for deliveries in progress. Those not stored in time are not acknowledged, and are delivered again."""
        if self._receptions:
            _, restantes = await asyncio.wait(self._receptions, timeout=self._delais.fin)
            for reception in restantes:
                reception.cancel()

    async def _lier(self, lien: SmppConnection) -> bool:
        try:
            corps = corps_bind(self._smsc.identifiant, self._smsc.mot_de_passe)
            reponse = await lien.demander(Commande.BIND_TRANSCEIVER, corps, self._delais.connexion)
        except (PasEnvoye, SansReponse):
            log.warning("smpp_bind_unanswered", provider=self._nom)
            return False
        if reponse.commande == Commande.GENERIC_NACK or reponse.statut != Statut.OK:
            log.warning("smpp_bind_refused", provider=self._nom, status=f"{reponse.statut:#x}")
            self._refuse = lie_refuse(reponse.statut)
            if self._refuse:
                signaler(Canal.SMS, self._nom, f"smpp {reponse.statut:#04x}")
            return False
        self._refuse = False
        return True

    async def _menage(self, stopping: asyncio.Event) -> None:
        """Hands over incomplete long messages whose other parts do not arrive."""
        while not stopping.is_set():
            try:
                await self._reception.abandonner()
            except Exception as error:
                # The messages are kept and handed over in the next round.
                log.warning("sms_incomplete_not_stored", provider=self._nom, error=type(error).__name__)
            await wait(stopping, _MENAGE_S)


def _destination(numero: str) -> Adresse:
    return Adresse(numero.removeprefix("+"), INTERNATIONAL, RESEAU)
