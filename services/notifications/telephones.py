"""A number is a person's once they have typed the code that it received: five tries, fifteen minutes.

`telephones` {_id: compte_id, numero: {cle, contenu}, code, essais, expire_at}: what waits for its code. `code` is a
keyed hash: whoever reads the database cannot confirm.

`codes_telephone` {_id, empreinte, at}: the codes that were sent to a number (its keyed hash) in a day, whichever
account has asked.
"""

import datetime as dt
import secrets

from contracts.notifications import Canal
from kit.clock import Clock
from kit.database.mongo import Database
from kit.ids import new_id
from kit.messaging.outbox import Outbox, Tx
from services.notifications.contacts.encryption import ContactCipher
from services.notifications.contacts.store import Contacts
from services.notifications.delivery.handoff import sceller
from services.notifications.delivery.outgoing import Courrier
from services.notifications.domain import CODE_VALABLE, Genre
from services.notifications.planning.sms_prices import Tarifs

ESSAIS_MAX = 5


PAR_HEURE, PAR_JOUR = 5, 10
"""Codes to one number, all accounts together: whoever owns it may have asked for none of them."""
_HEURE, _JOUR = dt.timedelta(hours=1), dt.timedelta(days=1)


class PaysNonDesservi(Exception):
    """No SMS is sent to numbers of this country."""


class TropDeCodes(Exception):
    """This number has got enough of them for now."""


class CodeRefuse(Exception):
    """Wrong, too old, or tried too often."""


class Telephones:
    def __init__(
        self,
        db: Database,
        coffre: ContactCipher,
        contacts: Contacts,
        courrier: Courrier,
        outbox: Outbox,
        clock: Clock,
        tarifs: Tarifs,
    ) -> None:
        self._codes = db.codes_telephone
        self._tarifs = tarifs
        self._telephones = db.telephones
        self._coffre = coffre
        self._contacts = contacts
        self._courrier = courrier
        self._outbox = outbox
        self._clock = clock

    async def proposer(self, compte_id: str, numero: str) -> None:
        """Sends a code to the number (E.164). A later proposal replaces an earlier one. Raises PaysNonDesservi or
        TropDeCodes."""
        if self._tarifs.centimes(numero) is None:
            raise PaysNonDesservi
        code = f"{secrets.randbelow(10**6):06}"
        attente = {
            "numero": self._coffre.fermer(numero, _proprietaire(compte_id)),
            "code": self._empreintes(compte_id, code)[0],
            "essais": 0,
            "expire_at": self._clock.now() + CODE_VALABLE,
        }

        async def work(tx: Tx) -> None:
            await self._compter(numero, tx)
            await self._telephones.replace_one({"_id": compte_id}, attente, upsert=True, session=tx.session)
            await self._courrier.repondre(
                Genre.CODE_TELEPHONE,
                Canal.SMS,
                compte_id,
                new_id(),
                {},
                tx,
                secret=lambda envoi_id: sceller(self._coffre, envoi_id, numero, code),
            )

        await self._outbox.run(work)

    async def _compter(self, numero: str, tx: Tx) -> None:
        """One more code to this number. Raises TropDeCodes."""
        now, connues = self._clock.now(), {"empreinte": {"$in": self._coffre.empreintes(numero)}}
        for duree, limite in ((_HEURE, PAR_HEURE), (_JOUR, PAR_JOUR)):
            recents = {**connues, "at": {"$gt": now - duree}}
            if await self._codes.count_documents(recents, limit=limite, session=tx.session) >= limite:
                raise TropDeCodes
        code = {"_id": new_id(), "empreinte": self._coffre.empreinte(numero), "at": now}
        await self._codes.insert_one(code, session=tx.session)

    async def confirmer(self, compte_id: str, code: str) -> None:
        """The number is theirs from now on. Raises CodeRefuse."""
        attente = await self._telephones.find_one_and_update(
            {"_id": compte_id, "essais": {"$lt": ESSAIS_MAX}, "expire_at": {"$gt": self._clock.now()}},
            {"$inc": {"essais": 1}},
        )
        empreintes = self._empreintes(compte_id, code)
        if attente is None or not any(secrets.compare_digest(attente["code"], connue) for connue in empreintes):
            raise CodeRefuse
        numero = self._coffre.ouvrir(attente["numero"], _proprietaire(compte_id))

        async def work(tx: Tx) -> None:
            await self._contacts.donner_numero(compte_id, numero, tx.session)
            await self._telephones.delete_one({"_id": compte_id}, session=tx.session)

        await self._outbox.run(work)

    async def retirer(self, compte_id: str) -> None:
        async def work(tx: Tx) -> None:
            await self._contacts.retirer_numero(compte_id, tx.session)
            await self._telephones.delete_one({"_id": compte_id}, session=tx.session)

        await self._outbox.run(work)

    async def oublier(self, compte_id: str, tx: Tx) -> None:
        await self._telephones.delete_one({"_id": compte_id}, session=tx.session)

    async def sous_une_autre_cle(self) -> int:
        """How many numbers that wait for their code the current key does not open."""
        return await self._telephones.count_documents({"numero.cle": {"$ne": self._coffre.courante}})

    def _empreintes(self, compte_id: str, code: str) -> list[str]:
        return self._coffre.empreintes(f"{compte_id}:{code}")


def _proprietaire(compte_id: str) -> str:
    return f"{compte_id}:telephone-propose"
