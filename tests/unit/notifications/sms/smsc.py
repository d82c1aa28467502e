"""A tiny SMSC for these tests: it reads and writes its PDUs with smpplib, so that two codecs are compared."""

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from smpplib import smpp

from kit.clock import Clock
from services.notifications.canaux.feedback import Retour, SmsRecu
from services.notifications.canaux.sms.fournisseur import Recevoir
from services.notifications.canaux.sms.smpp.connection import Delais
from services.notifications.canaux.sms.smpp.session import SessionSmpp

ACCUSE, ENTETE = 0x04, 0x40
DELAIS = Delais(pause=0.001)
# What smpplib asks of a client when it reads: the number of the PDU comes from the bytes.
CLIENT = SimpleNamespace(sequence=1, next_sequence=lambda: 1)


def pdu(nom: str, sequence: int, *, statut: int = 0, **champs: Any) -> bytes:
    fait = smpp.make_pdu(nom, client=CLIENT, sequence=sequence, status=statut, **champs)
    fait.sequence = sequence
    octets: bytes = fait.generate()
    return octets


def texte_accuse(reference: str, etat: str, erreur: str = "000") -> bytes:
    dates = "submit date:2611251000 done date:2611251001"
    return f"id:{reference} sub:001 dlvrd:001 {dates} stat:{etat} err:{erreur} text:Bonjour".encode()


class Smsc:
    """`au_submit` decides what becomes of each submit_sm; by default it is taken, with the ids m1, m2 …"""

    def __init__(self) -> None:
        self.au_submit: Callable[[Any], Awaitable[None]] = self.accepter
        self.au_bind = 0
        self.muet = False
        self.submits: list[Any] = []
        self.binds: list[Any] = []
        self.recus: list[tuple[int, int, int]] = []
        """(command, status, sequence) of all that arrived."""
        self.port = 0
        self.ecoute: asyncio.Server | None = None
        self._sequence = 1_000
        self._writers: list[asyncio.StreamWriter] = []

    @property
    def url(self) -> str:
        return f"smpp://place:secret@127.0.0.1:{self.port}?source=PLACE"

    async def accepter(self, recu: Any) -> None:
        self.ecrire(pdu("submit_sm_resp", recu.sequence, message_id=f"m{len(self.submits)}"))

    async def couper(self, _: Any = None) -> None:
        self._writers[-1].close()

    async def mourir(self) -> None:
        """No new connection is accepted any more."""
        assert self.ecoute is not None
        self.ecoute.close()

    def refuser(self, *statuts: int) -> Callable[[Any], Awaitable[None]]:
        """Answers the first submits with `statuts` (0: taken), takes the others."""
        restants = list(statuts)

        async def repondre(recu: Any) -> None:
            if restants and (statut := restants.pop(0)):
                self.ecrire(pdu("submit_sm_resp", recu.sequence, statut=statut))
            else:
                await self.accepter(recu)

        return repondre

    def ecrire(self, octets: bytes) -> None:
        self._writers[-1].write(octets)

    def livrer(self, contenu: bytes, **champs: Any) -> int:
        """Sends a deliver_sm; returns its sequence number, by which its answer is found."""
        self._sequence += 1
        defaut = {"source_addr": "33612345678", "source_addr_ton": 1, "destination_addr": "38600"}
        self.ecrire(pdu("deliver_sm", self._sequence, **{**defaut, **champs}, short_message=contenu))
        return self._sequence

    def statut(self, sequence: int) -> int | None:
        """What was answered to a deliver_sm."""
        statuts = [statut for commande, statut, numero in self.recus if (commande, numero) == (0x80000005, sequence)]
        return statuts[-1] if statuts else None

    async def parler(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        try:
            while True:
                entete = await reader.readexactly(16)
                longueur, commande, statut, sequence = struct.unpack(">IIII", entete)
                octets = entete + await reader.readexactly(longueur - 16)
                self.recus.append((commande, statut, sequence))
                await self._traiter(commande, octets, sequence)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _traiter(self, commande: int, octets: bytes, sequence: int) -> None:
        if self.muet:
            return
        if commande == 0x09:
            self.binds.append(smpp.parse_pdu(octets, client=CLIENT))
            self.ecrire(pdu("bind_transceiver_resp", sequence, statut=self.au_bind, system_id="smsc"))
        elif commande == 0x04:
            recu = smpp.parse_pdu(octets, client=CLIENT)
            self.submits.append(recu)
            await self.au_submit(recu)
        elif commande == 0x15:
            self.ecrire(pdu("enquire_link_resp", sequence))
        elif commande == 0x06:
            self.ecrire(pdu("unbind_resp", sequence))


@asynccontextmanager
async def smsc() -> AsyncIterator[Smsc]:
    le_smsc = Smsc()
    ouvert = await asyncio.start_server(le_smsc.parler, "127.0.0.1", 0)
    le_smsc.port = ouvert.sockets[0].getsockname()[1]
    le_smsc.ecoute = ouvert
    try:
        yield le_smsc
    finally:
        ouvert.close()
        for writer in le_smsc._writers:
            writer.close()


class Boite:
    """A `recevoir` that keeps what it gets, and fails as often as it is told."""

    def __init__(self, echecs: int = 0) -> None:
        self.recus: list[Retour | SmsRecu] = []
        self.echecs = echecs

    async def __call__(self, recu: Retour | SmsRecu) -> None:
        if self.echecs:
            self.echecs -= 1
            raise ConnectionError
        self.recus.append(recu)


@asynccontextmanager
async def session(
    le_smsc: Smsc,
    recevoir: Recevoir | None = None,
    *,
    nom: str = "operateur",
    clock: Clock | None = None,
    fenetre: int = 10,
    **delais: float,
) -> AsyncIterator[SessionSmpp]:
    """A session that is bound."""
    ouverte = SessionSmpp(
        le_smsc.url,
        nom,
        recevoir or Boite(),
        clock=clock,
        fenetre=fenetre,
        delais=replace(DELAIS, **delais),
        pauses=(0, 0),
    )
    stopping = asyncio.Event()
    tache = asyncio.create_task(ouverte.run(stopping))
    try:
        await ouverte.pret()
        yield ouverte
    finally:
        stopping.set()
        await tache
