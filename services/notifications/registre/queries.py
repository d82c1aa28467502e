"""Reads of the ledger. Nothing here changes a row."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from contracts.envois import Etat
from contracts.notifications import Canal
from kit.database.mongo import Database, Session
from services.notifications.domain import REPONDABLES, Genre
from services.notifications.planning.sms_rules import du_mois
from services.notifications.registre.ids import alertes_de
from services.notifications.registre.old_ids import anciennes_de
from services.notifications.registre.rows import Ligne


class LedgerQueries:
    def __init__(self, db: Database) -> None:
        self._db = db

    async def envoi(self, envoi_id: str) -> Ligne | None:
        return await self._db.envois.find_one({"_id": envoi_id})

    async def alertes(self, annonce_ids: Iterable[str], apres: str | None, limite: int) -> list[Ligne]:
        """The first `limite` alerts of some annonces after the id `apres`, in the order of their ids.

        Ids never change, so pages neither repeat nor skip rows that existed when the first page was read.
        """
        cherches = list(annonce_ids)
        branches: list[dict[str, Any]] = [alertes_de(id_, apres) for id_ in cherches]
        if anciennes := await anciennes_de(self._db, cherches):
            branches.append({"_id": {"$in": [id_ for id_ in anciennes if id_ > (apres or "")]}})
        filtre = {"$or": branches}
        champs = ("annonce_id", "version", "profil_id", "canal", "ancienne", "etat", "motif", "reprise_at", "cree_at")
        cursor = self._db.envois.find(filtre, dict.fromkeys(champs, 1))
        return [ligne async for ligne in cursor.sort("_id", 1).limit(limite)]

    async def anciennes(self, annonce_id: str) -> list[str]:
        """Ids of the alerts of an annonce that were made by earlier versions of the code."""
        return await anciennes_de(self._db, [annonce_id])

    async def du_compte(self, compte_id: str, page: int, taille: int) -> tuple[list[Ligne], int]:
        """One page of messages to an account, newest first, and their total number."""
        total = await self._db.envois.count_documents({"compte_id": compte_id})
        cursor = self._db.envois.find({"compte_id": compte_id}, {"secret": 0, "lot": 0})
        return [ligne async for ligne in cursor.sort("cree_at", -1).skip((page - 1) * taille).limit(taille)], total

    async def alertes_sms(self, compte_id: str, depuis: dt.datetime, session: Session) -> list[Ligne]:
        """What was sent by SMS since `depuis` and asks for yes or no, newest first, only the last one of each annonce,
        with its reference and its `annonce_id`."""
        cursor = self._db.envois.find(
            {
                "compte_id": compte_id,
                "genre": {"$in": [genre.value for genre in REPONDABLES]},
                "canal": Canal.SMS.value,
                "etat": {"$in": [Etat.REMIS.value, Etat.LIVRE.value, Etat.REMISE.value, Etat.INCERTAIN.value]},
                "cree_at": {"$gt": depuis},
            },
            {"annonce_id": 1, "a_propos": 1, "titre": 1, "ref": 1, "cree_at": 1},
            session=session,
        )
        par_annonce: dict[str, Ligne] = {}
        async for ligne in cursor.sort("cree_at", -1).limit(100):
            ligne.setdefault("annonce_id", ligne.get("a_propos"))
            par_annonce.setdefault(ligne["annonce_id"], ligne)
        return list(par_annonce.values())

    async def sollicitations(self, compte_ids: Iterable[str], depuis: dt.datetime) -> dict[tuple[str, bool], int]:
        """(account, urgent) → number of annonces the account was alerted about at once since `depuis`, on any
        channel."""
        cherches = list(set(compte_ids))
        if not cherches:
            return {}
        comptees = {"$nin": [Etat.ANNULEE.value, Etat.SANS_CONSENTEMENT.value, Etat.REGROUPEE.value]}
        cursor = self._db.envois.aggregate(
            [
                {
                    "$match": {
                        "compte_id": {"$in": cherches},
                        "cree_at": {"$gt": depuis},
                        "genre": Genre.ALERTE.value,
                        "etat": comptees,
                        "resume_at": {"$exists": False},
                    }
                },
                {"$group": {"_id": {"c": "$compte_id", "u": "$urgent", "a": "$annonce_id"}}},
                {"$group": {"_id": {"c": "$_id.c", "u": "$_id.u"}, "n": {"$sum": 1}}},
            ]
        )
        return {(groupe["_id"]["c"], bool(groupe["_id"].get("u"))): groupe["n"] async for groupe in cursor}

    async def du_profil(self, compte_id: str, profil_id: str, limite: int) -> list[Ligne]:
        """The alerts of a profil in any state, newest first."""
        cursor = self._db.envois.find(
            {"compte_id": compte_id, "profil_id": profil_id, "genre": Genre.ALERTE.value},
            dict.fromkeys(
                ("annonce_id", "version", "contenu_id", "titre", "pourquoi", "cree_at", "motif", "reponse"), 1
            ),
        )
        return [ligne async for ligne in cursor.sort("cree_at", -1).limit(limite)]

    async def contenus(self, contenu_ids: Iterable[str]) -> dict[str, Mapping[str, Any]]:
        """contenu_id → data of the message; expired contents are missing."""
        cursor = self._db.contenus.find({"_id": {"$in": list(set(contenu_ids))}}, {"donnees": 1})
        return {ligne["_id"]: ligne["donnees"] async for ligne in cursor}

    async def profils(self, compte_id: str) -> list[str]:
        """The profils of an account that were alerted."""
        filtre = {"compte_id": compte_id, "genre": Genre.ALERTE.value, "profil_id": {"$exists": True}}
        return sorted(await self._db.envois.distinct("profil_id", filtre))

    async def repartition(self, filtre: Mapping[str, Any]) -> list[Ligne]:
        """Counts of alerts: [{etat, motif?, canal, fournisseur?, reprise, nombre, parties}]; `filtre` applies to
        `envois`."""
        cle = {
            "etat": "$etat",
            "motif": "$motif",
            "canal": "$canal",
            "fournisseur": "$fournisseur",
            "reprise": {"$gt": ["$reprise_at", None]},
        }
        cursor = self._db.envois.aggregate(
            [
                {"$match": {**filtre, "genre": Genre.ALERTE.value}},
                {"$group": {"_id": cle, "nombre": {"$sum": 1}, "parties": {"$sum": {"$ifNull": ["$parties", 0]}}}},
            ]
        )
        return [{**g["_id"], "nombre": g["nombre"], "parties": g["parties"]} async for g in cursor]

    async def lignes(self, filtre: Mapping[str, Any], page: int, taille: int) -> list[Ligne]:
        """One page of alerts, newest first, without any field that identifies a person."""
        montres = ("annonce_id", "version", "canal", "etat", "motif", "fournisseur", "tentatives", "parties")
        dates = ("cree_at", "reprise_at", "remis_at", "conclu_at")
        cursor = self._db.envois.find({**filtre, "genre": Genre.ALERTE.value}, dict.fromkeys((*montres, *dates), 1))
        # Rows of a chunk have the same date; without the id, pages would repeat and skip some.
        cursor = cursor.sort([("cree_at", -1), ("_id", -1)]).skip((page - 1) * taille).limit(taille)
        return [ligne async for ligne in cursor]

    async def depense(self, mois: str) -> tuple[int, float]:
        """Number of SMS parts and their cost in centimes, in a month ("2026-11")."""
        return await du_mois(self._db.depenses, mois)

    async def bascules(self, debut: dt.datetime, fin: dt.datetime, limite: int) -> list[Ligne]:
        """Changes of the weights of providers, newest first."""
        cursor = self._db.bascules.find({"at": {"$gte": debut, "$lt": fin}}, {"_id": 0})
        return [ligne async for ligne in cursor.sort("at", -1).limit(limite)]
