"""The store in memory, so that what happens in transactions can be tried by the hundred without a server."""

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar, cast

from pymongo.errors import DuplicateKeyError

from contracts.annonces import Annonce, EtatReponse, Reponse
from kit.clock import FixedClock
from kit.messaging.outbox import Tx
from services.annonces.actions import Deps
from services.annonces.domain import Fiche
from services.annonces.reponses import EN_COURS
from services.annonces.settings import Reglages
from services.annonces.store import Document, bson, champs, fiche
from tests.unit.annonces.fabrique import NOW

T = TypeVar("T")


class MagasinEnMemoire:
    """Satisfies what actions, handlers and timers ask of services.annonces.store.Store about annonces and reponses."""

    def __init__(self, *fiches: Fiche) -> None:
        self.annonces = {f.annonce.annonce_id: champs(f) for f in fiches}
        self.reponses: dict[str, Document] = {}

    def fiche(self, annonce_id: str = "n1") -> Fiche:
        return fiche(self.annonces[annonce_id])

    def toutes(self, *etats: EtatReponse) -> list[Reponse]:
        lues = [Reponse.model_validate(document) for document in self.reponses.values()]
        return [reponse for reponse in lues if not etats or reponse.etat in etats]

    async def est_efface(self, compte_id: str, session: Any) -> bool:
        return False

    async def annonce(self, id_: str, session: Any = None) -> Document | None:
        return self.annonces.get(id_)

    async def enregistrer(self, lue: Fiche, session: Any) -> None:
        self.annonces[lue.annonce.annonce_id] = champs(lue)

    async def gerants(self, annonce: Annonce, session: Any = None) -> list[str]:
        return ["c1"]

    async def du_jour(self, jour: dt.date) -> list[Annonce]:
        return [fiche(d).annonce for d in self.annonces.values() if d["date_debut"] == jour.isoformat()]

    async def changements_dus(self, now: dt.datetime, limite: int) -> list[str]:
        dus = (d for d in self.annonces.values() if d["a_dire"] and d["a_dire"]["dire_at"] <= now)
        return [d["annonce_id"] for d in dus][:limite]

    async def reponse(self, id_: str, session: Any = None) -> Document | None:
        return self.reponses.get(id_)

    async def inserer_reponse(self, reponse: Reponse, message: str, session: Any) -> None:
        assert reponse.reponse_id not in self.reponses
        self.reponses[reponse.reponse_id] = {"_id": reponse.reponse_id, "message": message}
        await self.enregistrer_reponse(reponse, session)

    async def enregistrer_reponse(self, reponse: Reponse, session: Any, **prives: Any) -> None:
        self.reponses[reponse.reponse_id] |= {**bson(reponse), "active": reponse.etat in EN_COURS, **prives}

    async def reponse_en_cours(self, annonce_id: str, compte_id: str, session: Any) -> Document | None:
        siennes = (d for d in self._a(annonce_id) if d["compte_id"] == compte_id and d["active"])
        return next(siennes, None)

    async def declins(self, annonce_id: str, compte_id: str, session: Any) -> int:
        return sum(d["compte_id"] == compte_id and d["etat"] == "declinee" for d in self._a(annonce_id))

    async def premiere_en_attente(self, annonce_id: str, plafond: int, session: Any) -> Document | None:
        tiennent = [d for d in self._en_attente(annonce_id) if d["quantite"] <= plafond]
        return min(tiennent, key=lambda d: d["rang"], default=None)

    async def avancer(self, annonce_id: str, rang: int, session: Any) -> None:
        for document in self._en_attente(annonce_id):
            document["rang"] -= document["rang"] > rang

    async def reponses_dans(self, annonce_id: str, etats: Iterable[EtatReponse], session: Any) -> list[Document]:
        return [dict(d) for d in self._a(annonce_id) if d["etat"] in bson(sorted(etats))]

    async def clore_reponses(self, annonce_id: str, etats: Iterable[EtatReponse], session: Any) -> None:
        for document in self._a(annonce_id):
            if document["etat"] in bson(sorted(etats)):
                closes = {"etat": "close", "active": False, "place": None, "rang": None}
                document.update(closes, version=document["version"] + 1)

    async def a_rappeler(self, annonces: Iterable[str], jour: dt.date, prevu_at: dt.datetime, limite: int) -> list[str]:
        candidates = [d for annonce_id in annonces for d in self._a(annonce_id)]
        return [
            d["_id"]
            for d in candidates
            if d.get("rappel_pour") != jour.isoformat()
            and (d["etat"] == "acceptee" or (d["etat"] == "deposee" and d["deposee_at"] <= prevu_at))
        ][:limite]

    def _a(self, annonce_id: str) -> list[Document]:
        return [document for document in self.reponses.values() if document["annonce_id"] == annonce_id]

    def _en_attente(self, annonce_id: str) -> list[Document]:
        return [document for document in self._a(annonce_id) if document["etat"] == "en_attente"]


class ConversationsEnMemoire:
    """Satisfies what actions ask of services.annonces.conversations.store.Conversations; it encrypts nothing."""

    def chiffrer_mots(self, texte: str, reponse_id: str) -> str:
        return texte


class _Inbox:
    def __init__(self) -> None:
        self.rows: set[str] = set()

    async def insert_one(self, row: dict[str, Any], session: Any) -> None:
        if row["_id"] in self.rows:
            raise DuplicateKeyError("twice")
        self.rows.add(row["_id"])


class Service:
    """Actions and handlers over a store in memory; keeps what they emit, with the ids of the events."""

    def __init__(self, *fiches: Fiche, now: dt.datetime = NOW, **reglages: Any) -> None:
        self.magasin = MagasinEnMemoire(*fiches)
        self.clock = FixedClock(now)
        self.inbox = _Inbox()
        self.emis: list[Any] = []
        self.ids: list[str] = []
        # Fakes that satisfy what these tests ask for, and None for what no test in memory reads.
        self.deps: Deps = cast(Any, Deps)(
            self.magasin, self, self.clock, Reglages(**reglages), ConversationsEnMemoire(), None, None
        )

    async def run(self, work: Callable[[Tx], Awaitable[T]]) -> T:
        """What Outbox.run does, without a way back: a test that expects a refusal checks that nothing was written."""
        tx = Tx(cast(Any, self), cast(Any, None))
        result = await work(tx)
        self.emis += [event for _, event, _ in tx.events]
        self.ids += [id_ for id_, _, _ in tx.events]
        return result

    def faire(self, work: Callable[[Tx], Awaitable[T]]) -> T:
        return asyncio.run(self.run(work))

    def noms(self) -> list[str]:
        """The types of what was emitted since the last call."""
        emis, self.emis = self.emis, []
        return [event.type_name() for event in emis]
