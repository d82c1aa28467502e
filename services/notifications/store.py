"""The ledger: one row per message and person, claimed before it is handed over, marked after.

Rows of `envois`: {_id, genre, canal, compte_id, profil_id?, contenu_id, annonce_id?, version?, titre, pourquoi, etat,
motif?, tentatives, lot?, reprise_at?, cree_at, remis_at?, secret?}. `reprise_at` says from when anybody may take the
row up: a new row once its deliverer should have, a failure after its pause, a claim after its lease; rows that are done
have none.
`lot` is the fencing token of a claim. `contenus` {_id, genre, donnees, cree_at}: what many messages say, once.
`clotures`: annonces that need nobody any more. `desabonnements`: profils that get nothing more.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pymongo import UpdateOne

from contracts.notifications import Canal
from kit.clock import Clock
from kit.mongo import Database, Session
from services.notifications import domain
from services.notifications.domain import Cloture, Etat, Genre, Motif, Suite

Ligne = dict[str, Any]

_A_REPRENDRE = {"reprise_at": {"$exists": True}}
_FINI = {"reprise_at": "", "lot": "", "secret": ""}


class Registre:
    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def create_indexes(self, conservation_jours: int) -> None:
        await self._db.envois.create_index([("reprise_at", 1)], partialFilterExpression=_A_REPRENDRE)
        await self._db.envois.create_index(
            [("profil_id", 1)], name="ouverts_par_profil", partialFilterExpression=_A_REPRENDRE
        )
        await self._db.envois.create_index(
            [("annonce_id", 1)], name="ouverts_par_annonce", partialFilterExpression=_A_REPRENDRE
        )
        await self._db.envois.create_index(
            [("annonce_id", 1), ("_id", 1)],
            name="alertes_par_annonce",
            partialFilterExpression={"genre": Genre.ALERTE.value},
        )
        await self._db.envois.create_index([("compte_id", 1), ("cree_at", -1)])
        # Longer than any topic is kept: a replay must still find the row of what was sent.
        await self._db.envois.create_index([("cree_at", 1)], expireAfterSeconds=conservation_jours * 24 * 3600)
        await self._db.contenus.create_index([("cree_at", 1)], expireAfterSeconds=conservation_jours * 24 * 3600)

    def ligne(self, envoi_id: str, genre: Genre, canal: Canal, compte_id: str, contenu_id: str, **autres: Any) -> Ligne:
        now = self._clock.now()
        return {
            "_id": envoi_id,
            "genre": genre.value,
            "canal": canal.value,
            "compte_id": compte_id,
            "contenu_id": contenu_id,
            "etat": Etat.EN_FILE.value,
            "tentatives": 0,
            "cree_at": now,
            "reprise_at": now + domain.premiere_reprise(genre),
            **autres,
        }

    async def deposer(
        self, contenu_id: str, genre: Genre, donnees: Mapping[str, Any], lignes: Sequence[Ligne], session: Session
    ) -> None:
        """Stores a content and the rows of those who get it. Raises BulkWriteError when a row exists already."""
        await self._db.contenus.update_one(
            {"_id": contenu_id},
            {"$setOnInsert": {"genre": genre.value, "donnees": dict(donnees), "cree_at": self._clock.now()}},
            upsert=True,
            session=session,
        )
        if lignes:
            await self._db.envois.insert_many(lignes, session=session)

    async def connus(self, envoi_ids: Sequence[str], session: Session) -> set[str]:
        cursor = self._db.envois.find({"_id": {"$in": list(envoi_ids)}}, {"_id": 1}, session=session)
        return {ligne["_id"] async for ligne in cursor}

    async def contenu(self, contenu_id: str) -> tuple[Genre, dict[str, Any]]:
        """Raises LookupError."""
        trouve = await self._db.contenus.find_one({"_id": contenu_id})
        if trouve is None:
            raise LookupError(contenu_id)
        return Genre(trouve["genre"]), trouve["donnees"]

    async def prendre(self, lignes: Sequence[Ligne], lot: str) -> list[Ligne]:
        """Claims rows for a hand-off, committed when this returns; leaves out those done or somebody else's."""
        ids, now = [ligne["_id"] for ligne in lignes], self._clock.now()
        en_pause = [etat for etat in domain.venant_de(Etat.REMISE) if etat != Etat.EN_FILE]
        pris = await self._db.envois.update_many(
            {
                "_id": {"$in": ids},
                "$or": [{"etat": Etat.EN_FILE.value}, {"etat": {"$in": en_pause}, "reprise_at": {"$lte": now}}],
            },
            {
                "$set": {"etat": Etat.REMISE.value, "lot": lot, "reprise_at": now + domain.BAIL},
                "$inc": {"tentatives": 1},
            },
        )
        if pris.modified_count == len(ids) and all(ligne["tentatives"] == 0 for ligne in lignes):
            # All fresh, all ours: what is in memory is what is stored, and a round trip is saved.
            return [{**ligne, "tentatives": 1} for ligne in lignes]
        # Asked by the token: a first try whose answer was lost claimed them too.
        return [ligne async for ligne in self._db.envois.find({"_id": {"$in": ids}, "lot": lot})]

    async def prolonger(self, lot: str, envoi_ids: Sequence[str]) -> None:
        """The lot is still in hand."""
        await self._db.envois.update_many(
            {"_id": {"$in": list(envoi_ids)}, "lot": lot, "etat": Etat.REMISE.value},
            {"$set": {"reprise_at": self._clock.now() + domain.BAIL}},
        )

    async def marquer(self, lot: str, suites: Mapping[str, Suite], session: Session) -> bool:
        """Writes what became of the rows of a lot; rows whose lease went to somebody else meanwhile are left to them.

        False when nothing was left to write: this lot has been marked before.
        """
        now = self._clock.now()
        ecrits = 0
        remis = [id_ for id_, suite in suites.items() if suite.etat is Etat.REMIS]
        if remis:
            marques = await self._db.envois.update_many(
                {"_id": {"$in": remis}, "lot": lot},
                {"$set": {"etat": Etat.REMIS.value, "remis_at": now}, "$unset": {**_FINI, "motif": ""}},
                session=session,
            )
            ecrits += marques.modified_count
        autres = [
            UpdateOne({"_id": id_, "lot": lot}, _ecrire(suite))
            for id_, suite in suites.items()
            if id_ not in set(remis)
        ]
        if autres:
            ecrits += (await self._db.envois.bulk_write(autres, ordered=False, session=session)).modified_count
        return ecrits > 0

    async def rendre_incertains(self) -> int:
        """Claims whose lease is over: whoever held them is gone, perhaps after the hand-off. Returns how many."""
        now = self._clock.now()
        echus = {"etat": Etat.REMISE.value, "reprise_at": {"$lt": now}}
        rendus = 0
        cursor = self._db.envois.find(echus, {"canal": 1, "tentatives": 1, "lot": 1}).limit(500)
        async for ligne in cursor:
            suite = domain.apres_inconnue(Canal(ligne["canal"]), ligne["tentatives"], Motif.BAIL_ECHU, now)
            ecrit = await self._db.envois.update_one(
                {"_id": ligne["_id"], "lot": ligne["lot"], **echus}, _ecrire(suite)
            )
            rendus += ecrit.modified_count
        return rendus

    async def a_reprendre(self, limite: int) -> list[Ligne]:
        """Rows that wait for anybody to take them up, those due first."""
        cursor = self._db.envois.find(
            {"reprise_at": {"$lt": self._clock.now()}, "etat": {"$in": domain.venant_de(Etat.REMISE)}}
        )
        return [ligne async for ligne in cursor.sort("reprise_at", 1).limit(limite)]

    async def plus_ancien(self) -> dt.datetime | None:
        """When the row was made that has waited longest, among those due."""
        ligne = await self._db.envois.find_one(_A_REPRENDRE, {"cree_at": 1}, sort=[("reprise_at", 1)])
        return ligne["cree_at"] if ligne else None

    async def clore(self, annonce_id: str, cloture: Cloture, session: Session) -> None:
        """Remembers it for what comes later, and cancels the alerts that wait. Once final, it stays final."""
        await self._db.clotures.update_one(
            {"_id": annonce_id},
            {"$max": {"version": cloture.version, "definitive": cloture.definitive}},
            upsert=True,
            session=session,
        )
        versions = {} if cloture.definitive else {"version": {"$lte": cloture.version}}
        filtre = {"annonce_id": annonce_id, "genre": Genre.ALERTE.value, **versions}
        await self._annuler(filtre, Motif.ANNONCE_CLOSE, session)

    async def clotures(self, annonce_ids: Iterable[str]) -> dict[str, Cloture]:
        cherches = list(set(annonce_ids))
        if not cherches:
            return {}
        cursor = self._db.clotures.find({"_id": {"$in": cherches}})
        return {ligne["_id"]: Cloture(ligne["version"], ligne["definitive"]) async for ligne in cursor}

    async def desabonner(self, profil_id: str, envoi_id: str, session: Session) -> bool:
        """False when it was done before."""
        fait = await self._db.desabonnements.update_one(
            {"_id": profil_id},
            {"$setOnInsert": {"envoi_id": envoi_id, "at": self._clock.now()}},
            upsert=True,
            session=session,
        )
        await self._annuler({"profil_id": profil_id}, Motif.DESABONNE, session)
        return fait.upserted_id is not None

    async def desabonnes(self, profil_ids: Iterable[str]) -> set[str]:
        cherches = list(set(profil_ids))
        if not cherches:
            return set()
        return {ligne["_id"] async for ligne in self._db.desabonnements.find({"_id": {"$in": cherches}}, {"_id": 1})}

    async def _annuler(self, filtre: Mapping[str, Any], motif: Motif, session: Session) -> None:
        """What waits is cancelled; what is being handed over is not: it may be out already."""
        waiting = [etat for etat in domain.venant_de(Etat.ANNULEE) if etat != Etat.REMISE]
        await self._db.envois.update_many(
            {**filtre, **_A_REPRENDRE, "etat": {"$in": waiting}},
            {"$set": {"etat": Etat.ANNULEE.value, "motif": motif.value}, "$unset": _FINI},
            session=session,
        )

    async def effacer(self, compte_id: str, session: Session) -> None:
        """Keeps the rows as counts: nothing in them leads to the person any more."""
        await self._annuler({"compte_id": compte_id}, Motif.COMPTE_EFFACE, session)
        await self._db.envois.update_many(
            {"compte_id": compte_id},
            {"$set": {"compte_id": ""}, "$unset": {"profil_id": "", "pourquoi": "", "titre": "", "secret": ""}},
            session=session,
        )

    async def envoi(self, envoi_id: str) -> Ligne | None:
        return await self._db.envois.find_one({"_id": envoi_id})

    async def alertes(self, annonce_ids: Iterable[str], apres: tuple[str, str] | None, limite: int) -> list[Ligne]:
        """The alerts of some annonces, ordered by (annonce_id, id): the first `limite` after `apres`.

        Neither key ever changes, so pages neither repeat nor skip a row that was there when the first one was read.
        """
        filtre: dict[str, Any] = {"annonce_id": {"$in": list(annonce_ids)}}
        if apres is not None:
            annonce_id, envoi_id = apres
            suivantes = [id_ for id_ in annonce_ids if id_ > annonce_id]
            filtre = {"$or": [{"annonce_id": annonce_id, "_id": {"$gt": envoi_id}}, {"annonce_id": {"$in": suivantes}}]}
        cursor = self._db.envois.find(
            {"genre": Genre.ALERTE.value, **filtre},
            {"annonce_id": 1, "version": 1, "etat": 1, "motif": 1, "reprise_at": 1, "cree_at": 1},
        )
        return [ligne async for ligne in cursor.sort([("annonce_id", 1), ("_id", 1)]).limit(limite)]

    async def du_compte(self, compte_id: str, page: int, taille: int) -> tuple[list[Ligne], int]:
        """One page, newest first, and how many there are."""
        total = await self._db.envois.count_documents({"compte_id": compte_id})
        cursor = self._db.envois.find({"compte_id": compte_id}, {"secret": 0, "lot": 0})
        return [ligne async for ligne in cursor.sort("cree_at", -1).skip((page - 1) * taille).limit(taille)], total


def _ecrire(suite: Suite) -> dict[str, Any]:
    valeurs: dict[str, Any] = {"etat": suite.etat.value}
    retirer: dict[str, str] = {"lot": ""}
    if suite.motif:
        valeurs["motif"] = str(suite.motif)
    if suite.reprise_at is not None:
        valeurs["reprise_at"] = suite.reprise_at
    else:
        retirer = dict(_FINI)
    ecriture: dict[str, Any] = {"$set": valeurs, "$unset": retirer}
    return {**ecriture, "$inc": {"tentatives": -1}} if suite.rendue else ecriture
