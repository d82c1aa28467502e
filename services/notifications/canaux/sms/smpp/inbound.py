"""Handles what an SMSC delivers, receipts and inbound SMS: `recevoir` stores them before they are acknowledged."""

import datetime as dt
from dataclasses import dataclass

from cachetools import TTLCache

from kit.clock import Clock
from kit.ids import new_id, stable_id
from kit.logging import get_logger
from services.notifications.canaux.feedback import Retour, SmsRecu
from services.notifications.canaux.sms.fournisseur import Recevoir
from services.notifications.canaux.sms.gsm7 import decoder
from services.notifications.canaux.sms.numeros import lire_expediteur
from services.notifications.canaux.sms.smpp.concatenation import Assembleur, Cle, Partie, TooManyIncomplete, lire_partie
from services.notifications.canaux.sms.smpp.multipart import MultipartReceipts
from services.notifications.canaux.sms.smpp.pdu import (
    INTERNATIONAL,
    NATIONAL,
    Malforme,
    Message,
    Pdu,
    Statut,
    Tlv,
    lire_chaine,
    lire_message,
)
from services.notifications.canaux.sms.smpp.receipts import est_accuse, lire_accuse

log = get_logger(__name__)

_SURSIS = dt.timedelta(minutes=1)
_MEMOIRE = dt.timedelta(minutes=15)
_SOUVENIRS_MAX = 20_000


@dataclass
class _Souvenir:
    reference: str
    connexion: str
    at: dt.datetime
    acquitte: bool = False


class Redeliveries:
    """Distinguishes an SMS that the provider delivers again from a second SMS with the same text.

    SMPP gives them no id, and two times "OUI" may answer two alerts. It is the same SMS if we did not acknowledge the
    first, or if the connection was lost within a minute after the acknowledgement, which the provider may then have
    missed.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._vus: TTLCache[str, _Souvenir] = TTLCache(
            _SOUVENIRS_MAX, _MEMOIRE.total_seconds(), lambda: clock.now().timestamp()
        )
        self._connexion, self._depuis = new_id(), clock.now()

    def nouvelle_connexion(self) -> None:
        self._connexion, self._depuis = new_id(), self._clock.now()

    def reference(self, empreinte: str, sequence: int) -> str:
        vu = self._vus.get(empreinte)
        if vu is not None and self._redite(vu):
            reference = vu.reference
        else:
            reference = stable_id(empreinte, self._connexion, sequence)
        self._vus[empreinte] = _Souvenir(reference, self._connexion, self._clock.now())
        return reference

    def acquitter(self, empreinte: str) -> None:
        if vu := self._vus.get(empreinte):
            vu.acquitte = True

    def _redite(self, vu: _Souvenir) -> bool:
        return not vu.acquitte or (vu.connexion != self._connexion and self._depuis - vu.at < _SURSIS)


class Deliveries:
    """Converts the deliver_sm of one provider to Retour and SmsRecu."""

    def __init__(self, nom: str, recevoir: Recevoir, parties: MultipartReceipts, clock: Clock) -> None:
        self._nom = nom
        self._recevoir = recevoir
        self._parties = parties
        self._clock = clock
        self._assembleur = Assembleur(clock)
        self.redites = Redeliveries(clock)

    async def traiter(self, pdu: Pdu) -> int:
        """Returns the status to answer, once everything is stored. Raises what `recevoir` raises."""
        try:
            message = lire_message(pdu.corps)
        except Malforme:
            log.warning("smpp_deliver_malformed", provider=self._nom, length=len(pdu.corps))
            return Statut.REJET
        if est_accuse(message):
            return await self._accuse(message)
        ton = message.source.ton
        de = lire_expediteur(message.source.texte, international=ton == INTERNATIONAL, national=ton == NATIONAL)
        if de is None:
            log.info("sms_without_return_address", provider=self._nom)
            return Statut.OK
        partie = lire_partie(message)
        if partie.reference is not None:
            return await self._partie(de, message, partie, partie.reference)
        await self._entier(de, message, partie, pdu.sequence)
        return Statut.OK

    async def abandonner(self) -> None:
        """Hands over incomplete messages whose other parts did not arrive."""
        for assemblage in self._assembleur.abandonnes():
            log.info("sms_incomplete", provider=self._nom, parts=len(assemblage.parties), total=assemblage.cle.total)
            await self._stocker(assemblage.cle.source, assemblage.texte(), assemblage.empreinte())
            self._assembleur.finir(assemblage)

    async def _accuse(self, message: Message) -> int:
        accuse = lire_accuse(message)
        if accuse is None:
            log.warning("smpp_receipt_unreadable", provider=self._nom)
            return Statut.OK
        if accuse.verdict is None:
            return Statut.OK
        lu = Retour(self._nom, accuse.verdict, accuse.motif, self._clock.now(), accuse.reference)
        retour = await self._parties.rejoindre(lu)
        if retour is not None:
            await self._recevoir(retour)
        return Statut.OK

    async def _partie(self, de: str, message: Message, partie: Partie, reference: int) -> int:
        cle = Cle(de, message.destination.texte, reference, partie.total)
        try:
            assemblage = self._assembleur.ajouter(cle, partie)
        except TooManyIncomplete:
            log.warning("sms_too_many_incomplete", provider=self._nom)
            return Statut.TEMPORAIRE
        if assemblage is not None:
            await self._stocker(de, assemblage.texte(), assemblage.empreinte())
            self._assembleur.finir(assemblage)
        return Statut.OK

    async def _entier(self, de: str, message: Message, partie: Partie, sequence: int) -> None:
        texte = decoder(partie.contenu, partie.data_coding)
        if connue := lire_chaine(message.tlv.get(Tlv.REFERENCE_ACCUSEE, b"")):
            return await self._stocker(de, texte, connue)
        empreinte = stable_id(de, message.destination.texte, partie.data_coding, partie.contenu.hex())
        await self._stocker(de, texte, self.redites.reference(empreinte, sequence))
        self.redites.acquitter(empreinte)

    async def _stocker(self, de: str, texte: str, reference: str) -> None:
        await self._recevoir(SmsRecu(self._nom, reference, de, texte, self._clock.now()))
