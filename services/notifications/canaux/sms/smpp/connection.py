"""One SMPP connection: matches responses to requests by sequence number, and checks the peer with enquire_link.

A peer that sends half a PDU, or nothing, does not answer enquire_link; this ends the connection, so no read lasts for
ever.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from kit.logging import get_logger
from services.notifications.canaux.sms.smpp.pdu import ENTETE, REPONSE, Commande, Malforme, Pdu, Statut, lire_entete

log = get_logger(__name__)

_SEQUENCE_MAX = 0x7FFF_FFFF
_RECEPTIONS_MAX = 100


@dataclass(frozen=True)
class Delais:
    """Times in seconds. `repos`: between two enquire_link; `battement`: for the answer to one; `fin`: to finish at the
    end; `pret`: wait of a sender for the session; `pause`: before the first reconnection."""

    connexion: float = 5.0
    reponse: float = 30.0
    repos: float = 30.0
    battement: float = 10.0
    fin: float = 5.0
    pret: float = 2.0
    pause: float = 0.5


class PasEnvoye(Exception):
    """The connection was closed before the request was sent."""


class SansReponse(Exception):
    """The request was sent, at least in part, but not answered."""


class SmppConnection:
    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        traiter: Callable[[Pdu], Awaitable[int]],
        receptions: set[asyncio.Task[None]],
        delais: Delais,
    ) -> None:
        """`traiter` stores a deliver_sm and returns the status to answer. `receptions`: those in progress, which may
        outlive the connection."""
        self._reader = reader
        self._writer = writer
        self._traiter = traiter
        self._delais = delais
        self._sequence = 0
        self._attendus: dict[int, tuple[int, asyncio.Future[Pdu | None]]] = {}
        self._receptions = receptions
        self._coupe = False

    @property
    def ouvert(self) -> bool:
        return not self._coupe and not self._writer.is_closing()

    async def demander(self, commande: Commande, corps: bytes = b"", delai: float | None = None) -> Pdu:
        """Sends a request and returns its response. Raises PasEnvoye or SansReponse."""
        if not self.ouvert:
            raise PasEnvoye
        self._sequence = self._sequence % _SEQUENCE_MAX + 1
        sequence = self._sequence
        attendu: asyncio.Future[Pdu | None] = asyncio.get_running_loop().create_future()
        self._attendus[sequence] = commande, attendu
        try:
            async with asyncio.timeout(self._delais.reponse if delai is None else delai):
                self._ecrire(Pdu(commande, Statut.OK, sequence, corps))
                await self._writer.drain()
                reponse = await attendu
        except (OSError, TimeoutError) as error:
            raise SansReponse from error
        finally:
            del self._attendus[sequence]
        if reponse is None:
            raise SansReponse
        return reponse

    async def lire(self) -> None:
        """Reads until the connection ends for any reason."""
        try:
            while not self._coupe:
                await self._aiguiller(await self._suivant())
                await self._writer.drain()
        except (asyncio.IncompleteReadError, OSError) as error:
            log.info("smpp_connection_ended", error=type(error).__name__)
        except Malforme:
            # The start of the next PDU is unknown, so the connection is unusable.
            log.warning("smpp_garbage")
            self._ecrire(Pdu(Commande.GENERIC_NACK, Statut.LONGUEUR_DE_COMMANDE, 0))
        finally:
            self.couper()

    async def battre(self) -> None:
        """Sends enquire_link at each interval; closes the connection when one is not answered."""
        while self.ouvert:
            await asyncio.sleep(self._delais.repos)
            try:
                await self.demander(Commande.ENQUIRE_LINK, delai=self._delais.battement)
            except (PasEnvoye, SansReponse):
                log.warning("smpp_heartbeat_unanswered")
                self.couper()

    async def delier(self) -> None:
        """Finishes what is in progress, unbinds and closes."""
        en_main: list[asyncio.Future[Any]] = list(self._receptions)
        en_main += [attendu for commande, attendu in self._attendus.values() if commande == Commande.SUBMIT_SM]
        if en_main:
            await asyncio.wait(en_main, timeout=self._delais.fin)
        try:
            await self.demander(Commande.UNBIND, delai=self._delais.fin)
        except (PasEnvoye, SansReponse):
            log.info("smpp_unbind_unanswered")
        self.couper()

    def couper(self) -> None:
        """Closes the connection; pending requests get no answer."""
        self._coupe = True
        self._writer.close()
        for _, attendu in self._attendus.values():
            if not attendu.done():
                attendu.set_result(None)

    async def fermer(self) -> None:
        """Like `couper`, but waits until the socket is closed, even if the peer no longer reads."""
        self.couper()
        try:
            async with asyncio.timeout(1):
                await self._writer.wait_closed()
        except (OSError, TimeoutError):
            self._writer.transport.abort()

    async def _suivant(self) -> Pdu:
        longueur, pdu = lire_entete(await self._reader.readexactly(ENTETE))
        if not longueur:
            return pdu
        return Pdu(pdu.commande, pdu.statut, pdu.sequence, await self._reader.readexactly(longueur))

    async def _aiguiller(self, pdu: Pdu) -> None:
        if pdu.commande & REPONSE:
            self._repondu(pdu)
        elif pdu.commande == Commande.ENQUIRE_LINK:
            self._repondre(pdu, Statut.OK)
        elif pdu.commande == Commande.DELIVER_SM:
            self._prendre(pdu)
        elif pdu.commande == Commande.UNBIND:
            log.info("smpp_unbound_by_provider")
            self._repondre(pdu, Statut.OK)
            await self._writer.drain()
            self.couper()
        elif pdu.commande != Commande.ALERT_NOTIFICATION:
            log.warning("smpp_unknown_command", command=f"{pdu.commande:#010x}")
            self._ecrire(Pdu(Commande.GENERIC_NACK, Statut.COMMANDE_INCONNUE, pdu.sequence))

    def _repondu(self, pdu: Pdu) -> None:
        """Matches a response to its request; ignores late, repeated and unknown ones."""
        commande, attendu = self._attendus.get(pdu.sequence, (None, None))
        if commande is None or attendu is None or attendu.done():
            log.info("smpp_answer_not_awaited", command=f"{pdu.commande:#010x}", status=pdu.statut)
        elif pdu.commande in (commande | REPONSE, Commande.GENERIC_NACK):
            attendu.set_result(pdu)

    def _prendre(self, pdu: Pdu) -> None:
        if len(self._receptions) >= _RECEPTIONS_MAX:
            return self._repondre(pdu, Statut.FILE_PLEINE)
        tache = asyncio.create_task(self._recevoir(pdu))
        self._receptions.add(tache)
        tache.add_done_callback(self._receptions.discard)

    async def _recevoir(self, pdu: Pdu) -> None:
        try:
            statut = await self._traiter(pdu)
        except Exception as error:
            # The provider keeps the message and delivers it again.
            log.warning("smpp_deliver_not_stored", error=type(error).__name__)
            statut = Statut.TEMPORAIRE
        self._repondre(pdu, statut)

    def _repondre(self, pdu: Pdu, statut: int) -> None:
        corps = b"\0" if pdu.commande == Commande.DELIVER_SM else b""
        self._ecrire(Pdu(pdu.commande | REPONSE, statut, pdu.sequence, corps))

    def _ecrire(self, pdu: Pdu) -> None:
        if self.ouvert:
            self._writer.write(pdu.octets())
