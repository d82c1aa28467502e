"""One row for each conversation and person in it: the address to which the person may answer, and the rhythm of mails.

`fils` {_id: token of the address, conversation_id, compte_id, canal, expire_at, dernier_at?, recus?}: `canal`, by which
the person wants to be told; `dernier_at`, when something was last written to them; `recus` {depuis, nombre}, the mails
that came to the address in the current hour.
"""

import datetime as dt
from dataclasses import dataclass

from contracts.notifications import Canal
from kit.clock import Clock
from kit.database.mongo import Database, Session
from services.notifications.conversations.addresses import AdressesDeReponse

VALIDITE = dt.timedelta(days=365)
"""An address may be written to for so long after the last message to its person."""
RECUS_PAR_HEURE = 20
"""Mails that one address takes in an hour: enough for people, little for two programs that answer each other."""
_HEURE = dt.timedelta(hours=1)


@dataclass(frozen=True)
class Fil:
    jeton: str
    conversation_id: str
    compte_id: str
    expire_at: dt.datetime

    def valable(self, now: dt.datetime) -> bool:
        return now < self.expire_at


class Fils:
    def __init__(self, db: Database, adresses: AdressesDeReponse, clock: Clock) -> None:
        self._fils = db.fils
        self._adresses = adresses
        self._clock = clock

    async def ouvrir(self, conversation_id: str, compte_id: str, session: Session, canal: Canal | None = None) -> None:
        """From now on the person may write to their address. `canal`: by which they answered; None: it stays."""
        await self._fils.update_one(
            {"_id": self._adresses.jeton(conversation_id, compte_id)},
            {
                "$set": {"expire_at": self._clock.now() + VALIDITE, **({"canal": canal.value} if canal else {})},
                "$setOnInsert": {"conversation_id": conversation_id, "compte_id": compte_id}
                | ({} if canal else {"canal": Canal.EMAIL.value}),
            },
            upsert=True,
            session=session,
        )

    async def ecrire(self, conversation_id: str, compte_id: str, session: Session) -> tuple[Canal, dt.datetime | None]:
        """A message is written to the person. Returns by which channel they are told, and when the one before was
        written."""
        await self.ouvrir(conversation_id, compte_id, session)
        avant = await self._fils.find_one_and_update(
            {"_id": self._adresses.jeton(conversation_id, compte_id)},
            {"$set": {"dernier_at": self._clock.now()}},
            session=session,
        )
        return Canal(avant["canal"]), avant.get("dernier_at")

    async def trouver(self, jeton: str) -> Fil | None:
        """Also an expired one; None for a token that was never given, or whose person is erased."""
        ligne = await self._fils.find_one({"_id": jeton})
        if ligne is None:
            return None
        return Fil(ligne["_id"], ligne["conversation_id"], ligne["compte_id"], ligne["expire_at"])

    async def sature(self, jeton: str) -> bool:
        """Whether the address has taken all that it takes in this hour."""
        limite = {"recus.nombre": {"$gte": RECUS_PAR_HEURE}, "recus.depuis": {"$gt": self._clock.now() - _HEURE}}
        return await self._fils.find_one({"_id": jeton, **limite}, {"_id": 1}) is not None

    async def compter_recu(self, jeton: str, session: Session) -> bool:
        """A mail came to the address; False when that is one too many in this hour."""
        now = self._clock.now()
        encore = await self._fils.update_one(
            {"_id": jeton, "recus.depuis": {"$gt": now - _HEURE}, "recus.nombre": {"$lt": RECUS_PAR_HEURE}},
            {"$inc": {"recus.nombre": 1}},
            session=session,
        )
        if encore.matched_count:
            return True
        premier = await self._fils.update_one(
            {"_id": jeton, "recus.depuis": {"$not": {"$gt": now - _HEURE}}},
            {"$set": {"recus": {"depuis": now, "nombre": 1}}},
            session=session,
        )
        return bool(premier.matched_count)

    async def effacer(self, compte_id: str, session: Session) -> list[str]:
        """Forgets the addresses of a person; returns their tokens."""
        siens = {"compte_id": compte_id}
        jetons = [ligne["_id"] async for ligne in self._fils.find(siens, {"_id": 1}, session=session)]
        await self._fils.delete_many(siens, session=session)
        return jetons
