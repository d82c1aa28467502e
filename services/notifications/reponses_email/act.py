"""What follows from a mail: a message in its conversation, a word of a mail system, or the reason why neither."""

import asyncio
from enum import StrEnum

from contracts.notifications import Canal
from kit.clock import Clock
from kit.http.internal_calls import ServiceAway
from kit.ids import stable_id
from kit.logging import get_logger
from kit.messaging.outbox import Outbox, Tx
from kit.waiting import every
from services.notifications.canaux.email import bounces
from services.notifications.contacts.encryption import Illisible
from services.notifications.contacts.store import Contacts
from services.notifications.conversations.complements import Annonces
from services.notifications.conversations.fils import Fil, Fils
from services.notifications.delivery.outgoing import Courrier
from services.notifications.domain import Genre
from services.notifications.metrics import COURRIELS_RECUS
from services.notifications.registre.ids import id_message
from services.notifications.registre.receipts import ProviderReports
from services.notifications.reponses_email import read
from services.notifications.reponses_email.read import Courriel, Sorte
from services.notifications.reponses_email.store import CourrielRecu, CourrielsRecus

log = get_logger(__name__)

_TOUTES_LES_S = 1.0
_AU_PLUS_PAR_HEURE = "%Y%m%d%H"


class NonTransmis(StrEnum):
    """Why the words of a person were not passed on: they are told, at the address that we know."""

    AUTRE_ADRESSE = "autre_adresse"
    CLOSE = "close"
    VIDE = "vide"
    TROP_LONG = "trop_long"


class SansSuite(StrEnum):
    """Nobody is told."""

    TRANSMIS = "transmis"
    AUTOMATIQUE = "automatique"
    RETOUR = "retour"
    ADRESSE_PERIMEE = "adresse_perimee"


Issue = NonTransmis | SansSuite


for _issue in (*NonTransmis, *SansSuite):
    COURRIELS_RECUS.labels(_issue.value)


class CourrielsEntrants:
    def __init__(
        self,
        courriels: CourrielsRecus,
        fils: Fils,
        contacts: Contacts,
        courrier: Courrier,
        suivi: ProviderReports,
        annonces: Annonces,
        outbox: Outbox,
        clock: Clock,
        domaine: str,
    ) -> None:
        """`domaine`: that of our Message-IDs."""
        self._courriels = courriels
        self._fils = fils
        self._contacts = contacts
        self._courrier = courrier
        self._suivi = suivi
        self._annonces = annonces
        self._outbox = outbox
        self._clock = clock
        self._domaine = domaine
        self.arrivee = asyncio.Event()
        """Set when a mail was just stored."""

    async def run(self, stopping: asyncio.Event) -> None:
        """Until `stopping`; a server that is away is waited for."""
        await every(_TOUTES_LES_S, self.passer, stopping, away="inbound_mail_waits", wake=self.arrivee)

    async def passer(self) -> bool:
        """Acts on the mail that is due first. False when none is."""
        try:
            recu = await self._courriels.prendre()
        except Illisible:
            # Its row goes after seven days; others are not kept waiting.
            log.error("inbound_mail_unreadable")
            return True
        if recu is None:
            return False
        try:
            await self._traiter(recu)
        except ServiceAway:
            await self._courriels.reporter(recu)
            return True
        await self._courriels.finir(recu.courriel_id)
        return True

    async def _traiter(self, recu: CourrielRecu) -> None:
        if retours := bounces.lire(recu.brut, recu.recu_at, self._domaine):
            await self._suivi.recevoir(retours)
            COURRIELS_RECUS.labels(SansSuite.RETOUR.value).inc()
            return
        # In a thread: a mail of ten megabytes takes a moment, and others are just being received.
        courriel = await asyncio.to_thread(read.lire, recu.brut)
        for jeton in recu.jetons:
            if jeton not in recu.faits:
                issue = await self._agir(courriel, await self._fils.trouver(jeton))
                await self._courriels.noter(recu.courriel_id, jeton, issue.value)
                COURRIELS_RECUS.labels(issue.value).inc()

    async def _agir(self, courriel: Courriel, fil: Fil | None) -> Issue:
        if fil is None:
            return SansSuite.ADRESSE_PERIMEE
        if courriel.sorte is Sorte.AUTOMATIQUE:
            return SansSuite.AUTOMATIQUE
        issue = await self._transmettre(courriel, fil)
        if isinstance(issue, NonTransmis):
            await self._dire(issue, fil)
        return issue

    async def _transmettre(self, courriel: Courriel, fil: Fil) -> Issue:
        contact = (await self._contacts.trouver([fil.compte_id])).get(fil.compte_id)
        connue = contact.adresses.get(Canal.EMAIL) if contact else None
        if connue is None:
            return SansSuite.ADRESSE_PERIMEE
        if courriel.de != connue.casefold():
            return NonTransmis.AUTRE_ADRESSE
        if not courriel.texte:
            return NonTransmis.VIDE
        reponse = await self._annonces.call(
            "POST",
            f"/v1/interne/conversations/{fil.conversation_id}/messages",
            content={
                "message_id": stable_id("courriel", courriel.empreinte, fil.jeton),
                "compte_id": fil.compte_id,
                "texte": courriel.texte,
                "canal": Canal.EMAIL.value,
            },
        )
        match reponse.status:
            case 200 | 201:
                return SansSuite.TRANSMIS
            case 422:
                return NonTransmis.TROP_LONG
            case 429:
                raise ServiceAway("annonces takes no more messages for the moment")
            case _:
                return NonTransmis.CLOSE

    async def _dire(self, raison: NonTransmis, fil: Fil) -> None:
        """To the known address, never to whoever wrote; once an hour for each reason."""
        heure = self._clock.now().strftime(_AU_PLUS_PAR_HEURE)
        cause = stable_id(fil.jeton, raison, heure)
        envoi_id = id_message(Genre.COURRIEL_NON_TRANSMIS, cause, fil.compte_id, Canal.EMAIL)
        donnees = {"raison": raison.value, "reponse_id": fil.conversation_id}

        async def work(tx: Tx) -> None:
            if not await self._courrier.registre.connus([envoi_id], tx.session):
                a = {fil.compte_id: Canal.EMAIL}
                await self._courrier.ecrire(a, Genre.COURRIEL_NON_TRANSMIS, cause, donnees, tx)

        await self._outbox.run(work)
