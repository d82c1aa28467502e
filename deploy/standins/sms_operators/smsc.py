"""The SMPP centre: accepts SMS, hands them to the phones, and delivers receipts and the SMS that people send."""

import asyncio
import itertools
import logging
import secrets
import sqlite3
import time
from datetime import UTC, datetime
from typing import Any

from smpplib import consts

from deploy.standins.sms_operators import NOMS, alphabet, numeros, parties, pdus, recus
from deploy.standins.sms_operators.delivery_loop import DeliveryLoop, echeances
from deploy.standins.sms_operators.pannes import Pannes, TokenBucket
from deploy.standins.sms_operators.parties import EnTeteFaux, PartPosition
from deploy.standins.sms_operators.pdus import Pdu
from deploy.standins.sms_operators.recus import SORTS
from deploy.standins.sms_operators.registre import OperatorStore, PendingDelivery
from deploy.standins.sms_operators.remise import CourrierInjoignable, Sms, SmsSink
from deploy.standins.sms_operators.session import Acces, Reponse, Session

_LOG = logging.getLogger(__name__)
# esm_class of a delivery receipt (SMPP 3.4, 5.2.12).
_RECU = 0x04


class Smsc:
    """`acces` says who may bind; `pannes` are the requested faults. Call `demarrer` inside a running loop, and `fermer`
    at the end."""

    def __init__(
        self,
        acces: Acces,
        registre: OperatorStore,
        telephones: SmsSink,
        pannes: Pannes,
        *,
        premier_delai_s: float = 0.5,
    ) -> None:
        self.acces, self.registre, self.pannes = acces, registre, pannes
        self.nom = NOMS["smsc"]
        self.facteur = DeliveryLoop(registre, pannes, self._livrer, self._recoit, premier_delai_s=premier_delai_s)
        self._telephones = telephones
        self._seau = TokenBucket()
        self._sessions: dict[Session, asyncio.Task[None]] = {}
        self._references = itertools.count(secrets.randbelow(0x10000))
        self._server: asyncio.Server | None = None
        self._tournee: asyncio.Task[None] | None = None

    async def demarrer(self, host: str, port: int) -> int:
        """Starts to listen. Returns the port, which is chosen when `port` is 0."""
        self._server = await asyncio.start_server(self._ouvrir, host, port, backlog=1024)
        self._tournee = asyncio.create_task(self.facteur.travailler())
        return int(self._server.sockets[0].getsockname()[1])

    async def fermer(self) -> None:
        if self._server:
            self._server.close()
        if self._tournee:
            self._tournee.cancel()
        sessions = dict(self._sessions)
        for session in sessions:
            session.couper()
        await asyncio.gather(*sessions.values(), *([self._tournee] if self._tournee else []), return_exceptions=True)

    def liee(self) -> None:
        """A client has bound: deliveries that failed are tried again."""
        try:
            self.registre.redevoir(time.time())
        except sqlite3.Error:
            _LOG.exception("le registre ne s’écrit pas")
        self.facteur.reveiller()

    async def soumettre(self, pdu: Pdu) -> Reponse:
        """Hands the SMS over, adds its receipt to the pending deliveries, then answers."""
        if not self._seau.prendre(self.pannes.debit_par_s) or self.pannes.prendre("limiter"):
            return Reponse(consts.SMPP_ESME_RTHROTTLED)
        if self.pannes.prendre("refuser"):
            return Reponse(consts.SMPP_ESME_RINVDSTADR)
        if self.pannes.delai_ms:
            await asyncio.sleep(self.pannes.delai_ms / 1000)
        cut = self.pannes.prendre("couper")
        message_id = secrets.token_hex(8)
        try:
            status = await self._prendre(pdu, message_id)
        except CourrierInjoignable as error:
            _LOG.warning("le courrier n’a pas pris un SMS : %s", error)
            status = consts.SMPP_ESME_RSYSERR
        except sqlite3.Error:
            _LOG.exception("un SMS n’a pas pu être gardé")
            status = consts.SMPP_ESME_RSYSERR
        return Reponse(status, message_id if status == consts.SMPP_ESME_ROK else "", cut)

    async def entrant(self, de: str, a: str, texte: str) -> str:
        """Somebody at `de` (E.164) sends `texte` to `a`: one deliver_sm, or several for a long text."""
        codage, parts = alphabet.encoder(texte)
        udhi = consts.SMPP_GSMFEAT_UDHI if len(parts) > 1 else 0
        if udhi:
            parts = parties.avec_en_tete(parts, next(self._references))
        # Every retry has the same id, so that the client can tell a repeated delivery from a second SMS with the same
        # text.
        message_id = secrets.token_hex(8)
        champs = {
            **_adresses(de, a),
            "data_coding": codage,
            "esm_class": udhi,
            "receipted_message_id": message_id,
        }
        # JSON cannot contain octets.
        self.registre.devoir("entrant", [(time.time(), {**champs, "octets": part.hex()}) for part in parts])
        self.facteur.reveiller()
        return message_id

    async def _prendre(self, pdu: Pdu, message_id: str) -> int:
        """Returns the status of the answer. Raises CourrierInjoignable, sqlite3.Error."""
        recipient = numeros.e164(pdu.textes["destination_addr"], pdu.nombres["dest_addr_ton"])
        if recipient is None:
            return int(consts.SMPP_ESME_RINVDSTADR)
        source = pdu.textes["source_addr"] or self.acces.system_id
        if pdu.nombres["source_addr_ton"] == numeros.INTERNATIONAL:
            source = numeros.e164(source) or source
        octets = pdu.message or pdu.tlv.get(pdus.MESSAGE_PAYLOAD, b"")
        codage = pdu.nombres["data_coding"]
        try:
            place, octets = _place(pdu, octets)
            if place is None:
                texte = alphabet.decoder(octets, codage)
                paid = len(alphabet.encoder(texte)[1])
                await self._telephones.remettre(Sms(self.nom, source, recipient, texte, paid, message_id))
            else:
                alphabet.decoder(b"", codage)
                cle = f"{source}|{recipient}|{place.reference}|{place.total}|{codage}"
                await self._partie(cle, place, message_id, octets, codage, source, recipient)
        except EnTeteFaux:
            return int(consts.SMPP_ESME_RINVESMCLASS)
        except alphabet.AlphabetInconnu:
            return int(consts.SMPP_ESME_RX_P_APPN)
        self._devoir_recu(pdu, message_id, source, recipient)
        return int(consts.SMPP_ESME_ROK)

    async def _partie(
        self, cle: str, place: PartPosition, message_id: str, octets: bytes, codage: int, source: str, recipient: str
    ) -> None:
        """Stores a part, and hands the message over when it is complete. Raises the same errors as `_prendre`."""
        whole, parts = self.registre.ajouter_partie(cle, place.numero, message_id, octets, time.time())
        if len(parts) < place.total:
            return
        # Octets are joined before they are decoded, because some clients cut inside a character.
        texte = alphabet.decoder(b"".join(parts), codage)
        await self._telephones.remettre(Sms(self.nom, source, recipient, texte, place.total, whole))
        self.registre.oublier_parties(cle)

    def _devoir_recu(self, pdu: Pdu, message_id: str, source: str, recipient: str) -> None:
        sort = SORTS[self.pannes.recus]
        wanted = pdu.nombres["registered_delivery"] & 0b11
        if wanted == 0 or (wanted == 2 and sort.arrivee):
            return
        now = datetime.now(UTC)
        text = recus.texte(message_id, sort, now, now)
        contenu = {
            **_adresses(recipient, source),
            "esm_class": _RECU,
            "data_coding": 0,
            "octets": text.encode("ascii").hex(),
            "receipted_message_id": message_id,
            "message_state": sort.message_state,
        }
        self.registre.devoir("recu", echeances(self.pannes, contenu))
        self.facteur.reveiller()

    async def _livrer(self, sortie: PendingDelivery) -> bool:
        session = next((session for session in self._sessions if session.recoit), None)
        if session is None:
            return False
        champs = dict(sortie.contenu)
        champs["short_message"] = bytes.fromhex(champs.pop("octets"))
        return await session.livrer(champs)

    def _recoit(self) -> bool:
        return any(session.recoit for session in self._sessions)

    async def _ouvrir(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = Session(self, reader, writer)
        task = asyncio.current_task()
        assert task is not None
        self._sessions[session] = task
        try:
            await session.vivre()
        finally:
            del self._sessions[session]


def _place(pdu: Pdu, octets: bytes) -> tuple[PartPosition | None, bytes]:
    """Position of the part, from its header or its parameters, and its text. Raises EnTeteFaux."""
    if pdu.nombres["esm_class"] & consts.SMPP_GSMFEAT_UDHI:
        place, octets = parties.lire(octets)
    else:
        place = parties.de_sar(*(pdu.entier(tag) for tag in (pdus.SAR_REFERENCE, pdus.SAR_TOTAL, pdus.SAR_SEGMENT)))
    return (None if place and place.total == 1 else place), octets


def _adresses(de: str, a: str) -> dict[str, Any]:
    source, recipient = numeros.adresse(de), numeros.adresse(a)
    return {
        "source_addr_ton": source[0],
        "source_addr_npi": source[1],
        "source_addr": source[2],
        "dest_addr_ton": recipient[0],
        "dest_addr_npi": recipient[1],
        "destination_addr": recipient[2],
    }
