"""An SMS that somebody sent: kept, understood, acted upon and answered in one transaction, once.

`sms_recus` {_id, compte_id?, de?, commande, at, recu_at}: what was asked, never the text nor the number, of which `de`
is the keyed hash; it is also the inbox: the same SMS twice acts once.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from contracts.notifications import Canal, Intention, ReponseParMessage
from kit.clock import Clock
from kit.database.mongo import Database, DuplicateKeyError, Session
from kit.ids import stable_id
from kit.messaging.outbox import Outbox, Tx
from services.notifications.canaux.feedback import SmsRecu
from services.notifications.comprehension.commands import Commande, Non, Oui, Pause, Reprise, Stop
from services.notifications.comprehension.read import lire
from services.notifications.contacts.encryption import ContactCipher
from services.notifications.contacts.store import Contacts
from services.notifications.delivery.handoff import sceller
from services.notifications.delivery.outgoing import Courrier
from services.notifications.domain import Genre
from services.notifications.metrics import SMS_RECUS
from services.notifications.registre.queries import LedgerQueries
from services.notifications.registre.rows import Ligne
from services.notifications.registre.store import Registre

_REPONSE_TARDIVE = dt.timedelta(days=60)
"""How long a reference is understood after its alert."""

_MEME_CONVERSATION = dt.timedelta(hours=48)
"""Without a reference, alerts that are older are not meant."""

REPONSES_MAX = 10
"""Answers to one number in an hour: another machine that answers too would never end."""

AIDES_MAX = 2
"""Of these, how many say only how to write to us: twice is enough for a person, and a machine would never stop."""

_AIDES = frozenset({Genre.AIDE_SMS, Genre.QUELLE_ANNONCE})

_FENETRE = dt.timedelta(hours=1)


@dataclass(frozen=True)
class Qui:
    """Who wrote. `compte_id` "": a number that belongs to no account. `muet`: they were answered often enough; `fois`:
    how often they have said the same in the last hour, this time included."""

    compte_id: str
    numero: str
    sms_id: str
    muet: bool
    fois: int


class Reception:
    def __init__(
        self,
        db: Database,
        consultation: LedgerQueries,
        registre: Registre,
        contacts: Contacts,
        courrier: Courrier,
        coffre: ContactCipher,
        outbox: Outbox,
        clock: Clock,
    ) -> None:
        self._db = db
        self._consultation = consultation
        self._registre = registre
        self._contacts = contacts
        self._courrier = courrier
        self._coffre = coffre
        self._outbox = outbox
        self._clock = clock

    async def recevoir(self, sms: SmsRecu) -> None:
        """Acted upon when this returns; raises what Mongo raises, and the provider is to say it again."""
        commande = lire(sms.texte)
        sms_id = stable_id("sms", sms.fournisseur, sms.reference)

        async def work(tx: Tx) -> None:
            now = self._clock.now()
            compte_id = await self._contacts.du_numero(sms.de) or ""
            ligne = {"compte_id": compte_id, "commande": _nom(commande), "at": sms.at, "recu_at": now}
            # First: of the same SMS told again, nothing below happens.
            de = self._coffre.empreinte(sms.de)
            await self._db.sms_recus.insert_one({"_id": sms_id, "de": de, **ligne}, session=tx.session)
            recents = {"de": {"$in": self._coffre.empreintes(sms.de)}, "recu_at": {"$gt": now - _FENETRE}}
            muet = await self._db.sms_recus.count_documents(recents, session=tx.session) > REPONSES_MAX
            memes = {**recents, "commande": ligne["commande"]}
            fois = await self._db.sms_recus.count_documents(memes, session=tx.session)
            await self._agir(commande, Qui(compte_id, sms.de, sms_id, muet, fois), tx)
            tx.after_commit(lambda: SMS_RECUS.labels(_nom(commande)).inc())

        try:
            await self._outbox.run(work)
        except DuplicateKeyError:
            # Said twice by the provider: done already.
            return

    async def oublier(self, compte_id: str, session: Session) -> None:
        await self._db.sms_recus.update_many(
            {"compte_id": compte_id}, {"$set": {"compte_id": ""}, "$unset": {"de": ""}}, session=session
        )

    async def _agir(self, commande: Commande, qui: Qui, tx: Tx) -> None:
        match commande:
            case Stop():
                await self._arreter(qui, tx)
            case Oui() | Non() if qui.compte_id:
                await self._repondre(commande, qui, tx)
            case Pause(jours) if qui.compte_id:
                fin = self._clock.now() + dt.timedelta(days=jours)
                await self._contacts.suspendre(qui.compte_id, fin, tx.session)
                await self._ecrire(qui, Genre.PAUSE_CONFIRMEE, {"jusqua": fin.date().isoformat(), "jours": jours}, tx)
            case Reprise() if qui.compte_id:
                await self._contacts.suspendre(qui.compte_id, None, tx.session)
                await self._ecrire(qui, Genre.REPRISE_CONFIRMEE, {}, tx)
            case _:
                await self._ecrire(qui, Genre.AIDE_SMS, {"inconnu": not qui.compte_id}, tx)

    async def _arreter(self, qui: Qui, tx: Tx) -> None:
        """At once, and confirmed once."""
        if not qui.compte_id:
            # Nobody's number: nothing is sent there anyway. Once is enough, and a machine may say STOP too.
            if qui.fois == 1:
                await self._ecrire(qui, Genre.STOP_CONFIRME, {}, tx)
            return
        nouveau = await self._contacts.opposer(qui.compte_id, Canal.SMS, self._clock.now(), tx.session)
        await self._registre.fermer_canal(qui.compte_id, Canal.SMS, tx.session)
        if nouveau:
            await self._ecrire(qui, Genre.STOP_CONFIRME, {}, tx)

    async def _repondre(self, commande: Oui | Non, qui: Qui, tx: Tx) -> None:
        alertes = await self._alertes(commande.reference, qui, tx)
        if len(alertes) != 1:
            vues = [{"ref": a["ref"], "titre": a["titre"]} for a in alertes[:3]]
            genre = Genre.QUELLE_ANNONCE if vues else Genre.AIDE_SMS
            return await self._ecrire(qui, genre, {"annonces": vues} if vues else {"inconnu": False}, tx)
        alerte = alertes[0]
        if isinstance(commande, Non):
            await self._contacts.refuser(qui.compte_id, alerte["annonce_id"], tx.session)
            await self._registre.refuser(qui.compte_id, alerte["annonce_id"], tx.session)
            await self._ecrire(qui, Genre.NON_CONFIRME, {"titre": alerte["titre"]}, tx)
        else:
            await self._contacts.accepter(qui.compte_id, alerte["annonce_id"], tx.session)
        intention = Intention.ANNULER if isinstance(commande, Non) else Intention.REPONDRE
        event = ReponseParMessage(
            reponse_id=stable_id("reponse", qui.sms_id),
            annonce_id=alerte["annonce_id"],
            compte_id=qui.compte_id,
            canal=Canal.SMS,
            intention=intention,
            quantite=commande.quantite if isinstance(commande, Oui) else 1,
            recue_at=self._clock.now(),
        )
        tx.emit(event, event_id=stable_id("reponse-par-message", qui.sms_id))

    async def _alertes(self, reference: str | None, qui: Qui, tx: Tx) -> list[Ligne]:
        """The annonces that are meant, newest first: that of the reference, else those of the last 48 hours, or, when
        there is none, the last one."""
        now = self._clock.now()
        connues = await self._consultation.alertes_sms(qui.compte_id, now - _REPONSE_TARDIVE, tx.session)
        if reference is not None:
            return [a for a in connues if a["ref"] == reference][:1]
        recentes = [a for a in connues if a["cree_at"] > now - _MEME_CONVERSATION]
        return recentes or connues[:1]

    async def _ecrire(self, qui: Qui, genre: Genre, donnees: dict[str, Any], tx: Tx) -> None:
        """The answer goes back to the number that wrote, known or not."""
        if qui.muet or (genre in _AIDES and qui.fois > AIDES_MAX):
            return
        await self._courrier.repondre(
            genre,
            Canal.SMS,
            qui.compte_id,
            qui.sms_id,
            donnees,
            tx,
            secret=lambda envoi_id: sceller(self._coffre, envoi_id, qui.numero, ""),
        )


def _nom(commande: Commande) -> str:
    return type(commande).__name__.lower()
