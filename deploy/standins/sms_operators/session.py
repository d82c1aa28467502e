"""One connection of the SMPP centre: bind, messages submitted, messages delivered to it."""

import asyncio
import logging
import secrets
from dataclasses import dataclass
from typing import Any, Protocol

from smpplib import consts

from deploy.standins.sms_operators import pdus
from deploy.standins.sms_operators.pdus import Pdu, PduFaux

_LOG = logging.getLogger(__name__)
_BINDS = {"bind_transmitter", "bind_receiver", "bind_transceiver"}
_REPONSES = {"deliver_sm_resp", "enquire_link_resp", "unbind_resp", "generic_nack"}
_SUBMITS_A_LA_FOIS = 128
_LAST_SEQUENCE = 0x7FFFFFFF


@dataclass(frozen=True)
class Acces:
    """Credentials (`system_id`, at most 15 characters; `mot_de_passe`, at most 8) and time-outs: after `silence_s`
    without a PDU the centre sends enquire_link, and closes after the same time again; it waits `reponse_s` for the
    answer to a deliver_sm."""

    system_id: str
    mot_de_passe: str
    silence_s: float = 30.0
    reponse_s: float = 10.0


@dataclass(frozen=True)
class Reponse:
    """Answer to a submit_sm. `couper`: close the connection instead."""

    status: int
    message_id: str = ""
    couper: bool = False


class Centre(Protocol):
    """What a session needs of the centre."""

    acces: Acces

    async def soumettre(self, pdu: Pdu) -> Reponse: ...
    def liee(self) -> None:
        """Called when a session has bound."""
        ...


class Session:
    """A session of a client; `vivre` returns when the connection ends."""

    def __init__(self, centre: Centre, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._centre, self._reader, self._writer = centre, reader, writer
        self._mode: str | None = None
        self._sequence = 0
        self._attendues: dict[int, asyncio.Future[int]] = {}
        self._submits: set[asyncio.Task[None]] = set()
        self._places = asyncio.Semaphore(_SUBMITS_A_LA_FOIS)
        self._entendu = asyncio.get_running_loop().time()

    @property
    def recoit(self) -> bool:
        return self._mode in ("bind_receiver", "bind_transceiver")

    async def vivre(self) -> None:
        watch = asyncio.create_task(self._veiller())
        try:
            while await self._un():
                pass
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            watch.cancel()
            self._mode = None
            for task in self._submits:
                task.cancel()
            for future in self._attendues.values():
                if not future.done():
                    future.set_result(consts.SMPP_ESME_RSYSERR)
            self._writer.close()

    def couper(self) -> None:
        """Closes the connection at once, without unbind."""
        self._mode = None
        self._writer.transport.abort()

    async def livrer(self, champs: dict[str, Any]) -> bool:
        """Sends a deliver_sm; returns whether the other side answered ESME_ROK."""
        sequence = self._suivant()
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._attendues[sequence] = answer
        try:
            await self._dire(pdus.ecrire("deliver_sm", sequence, **champs))
            async with asyncio.timeout(self._centre.acces.reponse_s):
                return (await answer) == int(consts.SMPP_ESME_ROK)
        except (TimeoutError, OSError):
            return False
        finally:
            del self._attendues[sequence]

    async def _un(self) -> bool:
        """Reads and handles one PDU. Returns False when the connection must end."""
        try:
            pdu = await pdus.lire(self._reader)
        except PduFaux as error:
            await self._dire(pdus.ecrire(error.reponse, error.sequence, error.status))
            return not error.fin
        self._entendu = asyncio.get_running_loop().time()
        commande, sequence = pdu.commande, pdu.sequence
        if commande in _BINDS:
            return await self._lier(commande, pdu)
        if commande in _REPONSES:
            waiting = self._attendues.get(sequence)
            if waiting and not waiting.done():
                waiting.set_result(pdu.status)
            return True
        match commande:
            case "submit_sm" if self._mode in ("bind_transmitter", "bind_transceiver"):
                await self._places.acquire()
                task = asyncio.create_task(self._soumettre(pdu, sequence))
                self._submits.add(task)
                task.add_done_callback(self._soumis)
            case "submit_sm":
                await self._dire(pdus.ecrire("submit_sm_resp", sequence, consts.SMPP_ESME_RINVBNDSTS))
            case "enquire_link":
                await self._dire(pdus.ecrire("enquire_link_resp", sequence))
            case "unbind":
                await self._delier(sequence)
                return False
            case _:
                # A command of the specification that this centre does not support is answered like an unknown one.
                await self._dire(pdus.ecrire("generic_nack", sequence, consts.SMPP_ESME_RINVCMDID))
        return True

    async def _lier(self, commande: str, pdu: Pdu) -> bool:
        acces, resp, sequence = self._centre.acces, f"{commande}_resp", pdu.sequence
        if self._mode is not None:
            await self._dire(pdus.ecrire(resp, sequence, consts.SMPP_ESME_RALYBND))
            return True
        refus = None
        if pdu.textes["system_id"] != acces.system_id:
            refus = consts.SMPP_ESME_RINVSYSID
        elif not secrets.compare_digest(pdu.textes["password"].encode(), acces.mot_de_passe.encode()):
            refus = consts.SMPP_ESME_RINVPASWD
        if refus is not None:
            await self._dire(pdus.ecrire(resp, sequence, refus))
            return False
        await self._dire(pdus.ecrire(resp, sequence, system_id="place-smsc"))
        self._mode = commande
        self._centre.liee()
        return True

    async def _delier(self, sequence: int) -> None:
        """Answers submitted messages first; deliveries without an answer are sent again later."""
        self._mode = None
        await asyncio.gather(*self._submits, return_exceptions=True)
        await self._dire(pdus.ecrire("unbind_resp", sequence))

    async def _soumettre(self, pdu: Pdu, sequence: int) -> None:
        reponse = await self._centre.soumettre(pdu)
        if reponse.couper:
            self.couper()
            return
        try:
            await self._dire(pdus.ecrire("submit_sm_resp", sequence, reponse.status, message_id=reponse.message_id))
        except OSError:
            # The message was accepted but the client cannot know it, as may happen with a real centre.
            return

    def _soumis(self, task: asyncio.Task[None]) -> None:
        self._submits.discard(task)
        self._places.release()
        if not task.cancelled() and (error := task.exception()):
            _LOG.error("un submit_sm a échoué", exc_info=error)
            self.couper()

    async def _veiller(self) -> None:
        """Sends enquire_link to a silent peer; closes the connection when it does not answer."""
        loop, silence = asyncio.get_running_loop(), self._centre.acces.silence_s
        asked_at = None
        while True:
            await asyncio.sleep(max(0.0, max(self._entendu, asked_at or 0.0) + silence - loop.time()))
            if asked_at is not None and self._entendu < asked_at:
                self.couper()
                return
            asked_at = None
            if loop.time() - self._entendu >= silence:
                asked_at = loop.time()
                await self._demander()

    async def _demander(self) -> None:
        try:
            await self._dire(pdus.ecrire("enquire_link", self._suivant()))
        except OSError:
            self.couper()

    async def _dire(self, octets: bytes) -> None:
        self._writer.write(octets)
        await self._writer.drain()

    def _suivant(self) -> int:
        self._sequence = self._sequence % _LAST_SEQUENCE + 1
        return self._sequence
