"""Mails as they came, kept until something was done about each; nobody is told 250 before that is committed.

`courriels_recus` {_id, jetons, contenu?, recu_at, reprise_at?, tentatives, issues?}: `jetons` are those of the
addresses it was sent to, none of a mail to our return address. `contenu` is the whole mail, encrypted; it goes once all
is done, and the row after seven days (schema.py). `issues` {jeton: what was done}.
"""

import base64
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kit.clock import Clock
from kit.database.mongo import Mongo, Session
from kit.ids import new_id
from services.notifications.contacts.encryption import ContactCipher
from services.notifications.conversations.fils import Fils

TAILLE_MAX = 10 * 1024 * 1024
"""Bytes of one mail: in base64 and encrypted it fits a document of MongoDB (16 MiB)."""

_EN_MAIN = dt.timedelta(minutes=1)
_REPRISES = tuple(dt.timedelta(seconds=s) for s in (2, 10, 60, 300))


class Sature(Exception):
    """One of its addresses has taken enough mails in this hour."""


@dataclass(frozen=True)
class CourrielRecu:
    """`faits`: the tokens for which something was done at an earlier try. `tentatives` counts this one."""

    courriel_id: str
    brut: bytes
    jetons: Sequence[str]
    faits: frozenset[str]
    recu_at: dt.datetime
    tentatives: int


class CourrielsRecus:
    def __init__(self, mongo: Mongo, fils: Fils, coffre: ContactCipher, clock: Clock) -> None:
        self._mongo = mongo
        self._courriels = mongo.db.courriels_recus
        self._fils = fils
        self._coffre = coffre
        self._clock = clock

    async def garder(self, brut: bytes, jetons: Sequence[str]) -> None:
        """Committed when this returns. Raises Sature, and what Mongo raises: then nothing is kept."""
        courriel_id, now = new_id(), self._clock.now()
        ligne = {
            "_id": courriel_id,
            "jetons": list(jetons),
            "contenu": self._coffre.fermer(base64.b64encode(brut).decode(), courriel_id),
            "recu_at": now,
            "reprise_at": now,
            "tentatives": 0,
        }

        async def work(session: Session) -> None:
            for jeton in jetons:
                if not await self._fils.compter_recu(jeton, session):
                    raise Sature
            await self._courriels.insert_one(ligne, session=session)

        await self._mongo.transaction(work)

    async def prendre(self) -> CourrielRecu | None:
        """The mail that is due first, for a minute this process's own; what was begun is done again without harm."""
        now = self._clock.now()
        ligne = await self._courriels.find_one_and_update(
            {"reprise_at": {"$lte": now}},
            {"$set": {"reprise_at": now + _EN_MAIN}, "$inc": {"tentatives": 1}},
            sort=[("reprise_at", 1)],
            return_document=True,
        )
        return self._lu(ligne) if ligne else None

    def _lu(self, ligne: dict[str, Any]) -> CourrielRecu:
        brut = base64.b64decode(self._coffre.ouvrir(ligne["contenu"], ligne["_id"]))
        faits = frozenset(ligne.get("issues", {}))
        return CourrielRecu(ligne["_id"], brut, ligne["jetons"], faits, ligne["recu_at"], ligne["tentatives"])

    async def noter(self, courriel_id: str, jeton: str, issue: str) -> None:
        """What was done for one of its addresses."""
        await self._courriels.update_one({"_id": courriel_id}, {"$set": {f"issues.{jeton}": issue}})

    async def finir(self, courriel_id: str) -> None:
        """All is done: the mail itself is forgotten."""
        await self._courriels.update_one({"_id": courriel_id}, {"$unset": {"contenu": "", "reprise_at": ""}})

    async def reporter(self, courriel: CourrielRecu) -> None:
        pause = _REPRISES[min(courriel.tentatives, len(_REPRISES)) - 1]
        await self._courriels.update_one(
            {"_id": courriel.courriel_id}, {"$set": {"reprise_at": self._clock.now() + pause}}
        )

    async def sous_une_autre_cle(self) -> int:
        """How many mails the current key does not open."""
        autre = {"$exists": True, "$ne": self._coffre.courante}
        return int(await self._courriels.count_documents({"contenu.cle": autre}))

    async def effacer(self, jetons: Sequence[str], session: Session) -> None:
        """Forgets what came to the addresses of somebody who is erased."""
        if jetons:
            await self._courriels.delete_many({"jetons": {"$in": list(jetons)}}, session=session)
