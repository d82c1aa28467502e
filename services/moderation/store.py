"""Mongo storage of dossiers, decisions, associations and targets.

Collections: `dossiers` (domain.Dossier and its `rang`), `decisions` (append-only; only erasure replaces ids in it),
`associations` (last state published by annonces, and `confiance`), `cibles` (latest version seen of each target,
whether it is closed for good, and whether a correction of it may be open), `effaces` (erased accounts, so that late
events do not bring them back).
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contracts.annonces import Association
from contracts.commun import TypeAuteur
from contracts.moderation import Issue, TypeCible
from kit.database.mongo import Database, Session
from services.moderation.domain import COMPTE_EFFACE, OUVERTS, Dossier, Etat

_TEXTE_EFFACE = "(effacé à la demande de son auteur)"
_TITRES_RECENTS = dt.timedelta(days=90)

Row = dict[str, Any]


@dataclass(frozen=True)
class Page:
    rows: list[Any]
    total: int


class Store:
    def __init__(self, db: Database) -> None:
        self.db = db

    # Dossiers

    async def dossier(self, dossier_id: str, session: Session | None = None) -> Dossier | None:
        row = await self.db.dossiers.find_one({"_id": dossier_id}, session=session)
        return _dossier(row) if row else None

    async def ajouter(self, dossier: Dossier, session: Session) -> None:
        await self.db.dossiers.insert_one(_row(dossier), session=session)

    async def remplacer(self, dossier: Dossier, session: Session) -> None:
        """Call it inside the transaction that has read the dossier: a concurrent change makes the transaction run
        again."""
        await self.db.dossiers.replace_one({"_id": dossier.dossier_id}, _row(dossier), session=session)

    async def ouverts_de(self, cible_id: str, avant_version: int | None, session: Session) -> list[Dossier]:
        """Open dossiers of a target with versions below `avant_version`, or all of them when it is None."""
        query: Row = {"cible_id": cible_id, "etat": {"$in": [etat.value for etat in OUVERTS]}}
        if avant_version is not None:
            query["version"] = {"$lt": avant_version}
        return [_dossier(row) async for row in self.db.dossiers.find(query, session=session)]

    async def en_ligne(self, dossier: Dossier, session: Session | None = None) -> bool:
        """False when the target is closed, or a later text took the place of this one."""
        cible = await self.db.cibles.find_one({"_id": dossier.cible_id}, session=session)
        # A correction that was not approved left this text online.
        remplace = {"$or": [{"approuvee": None}, {"issue": Issue.APPROUVEE.value}]}
        plus_recent = {"cible_id": dossier.cible_id, "version": {"$gt": dossier.version}, **remplace}
        return not (cible and cible["ferme"]) and not await self.db.dossiers.find_one(plus_recent, session=session)

    async def suivant(self, par: str, now: dt.datetime, session: Session) -> Dossier | None:
        """The first dossier in the queue that nobody holds and `par` may decide."""
        siennes = [row["_id"] async for row in self.db.associations.find({"membres": par}, {"_id": 1}, session=session)]
        query = {
            "$or": [_libres(now, Etat.A_TRAITER), _libres(now, Etat.A_REVOIR)],
            "auteur.compte_id": {"$ne": par},
            "auteur.association_id": {"$nin": siennes},
        }
        row = await self.db.dossiers.find_one(query, sort=_ORDRE, session=session)
        return _dossier(row) if row else None

    async def file(
        self,
        now: dt.datetime,
        *,
        etat: Etat | None,
        cible: TypeCible | None,
        cible_id: str | None,
        page: int,
        taille: int,
    ) -> Page:
        """Dossiers in the order of the queue; closed ones newest first. `etat` None: all open ones."""
        query: Row = dict(_dans_etat(etat, now))
        if cible is not None:
            query["cible_type"] = cible.value
        if cible_id is not None:
            query["cible_id"] = cible_id
        ordre = [("ferme_at", -1), ("_id", 1)] if etat in (Etat.DECIDE, Etat.CADUC) else _ORDRE
        cursor = self.db.dossiers.find(query).sort(ordre).skip((page - 1) * taille).limit(taille)
        return Page([_dossier(row) async for row in cursor], await self.db.dossiers.count_documents(query))

    async def compter(self, now: dt.datetime) -> dict[Etat, int]:
        """Number of open dossiers by state at `now`."""
        etats = (Etat.A_TRAITER, Etat.PRIS, Etat.A_REVOIR)
        return {etat: await self.db.dossiers.count_documents(_dans_etat(etat, now)) for etat in etats}

    async def plus_ancien(self) -> dt.datetime | None:
        """Since when the oldest unpublished dossier has waited."""
        query = {"etat": {"$in": [Etat.A_TRAITER.value, Etat.PRIS.value]}, "revue": False}
        row = await self.db.dossiers.find_one(query, {"recu_at": 1}, sort=[("recu_at", 1)])
        return row["recu_at"] if row else None

    async def titres_recents(self, dossier: Dossier) -> list[str]:
        """Titles of at most 200 other annonces of the same author, from the 90 days before this one."""
        auteur = dossier.auteur
        cle = "auteur.association_id" if auteur.association_id else "auteur.compte_id"
        query = {
            cle: auteur.association_id or auteur.compte_id,
            "recu_at": {"$gte": dossier.recu_at - _TITRES_RECENTS},
            "cible_id": {"$ne": dossier.cible_id},
            "cible_type": TypeCible.ANNONCE.value,
        }
        return [row["titre"] async for row in self.db.dossiers.find(query, {"titre": 1}).limit(200)]

    # Cibles

    async def avancer(self, cible_id: str, version: int, ferme: bool, session: Session) -> Row | None:
        """Stores that `version` was seen. Returns what was known before, None for a new target."""
        update = [
            {
                "$set": {
                    "version": {"$max": ["$version", version]},
                    "ferme": {"$or": [{"$ifNull": ["$ferme", False]}, ferme]},
                }
            }
        ]
        before: Row | None = await self.db.cibles.find_one_and_update(
            {"_id": cible_id}, update, upsert=True, session=session
        )
        return before

    async def noter_correction(self, cible_id: str, ouverte: bool, session: Session) -> None:
        """Spares the look for open dossiers at each event of an annonce that has no correction."""
        await self.db.cibles.update_one({"_id": cible_id}, {"$set": {"correction": ouverte}}, session=session)

    async def version_connue(self, cible_id: str, session: Session) -> int:
        row = await self.db.cibles.find_one({"_id": cible_id}, session=session)
        return int(row["version"]) if row else 0

    # Decisions

    async def consigner(self, entree: Mapping[str, Any], session: Session) -> None:
        await self.db.decisions.insert_one(dict(entree), session=session)

    async def journal(
        self, *, issue: Issue | None = None, dossier_id: str | None = None, page: int = 1, taille: int = 20
    ) -> Page:
        """The audit trail, newest first."""
        query: Row = {}
        if issue is not None:
            query["issue"] = issue.value
        if dossier_id is not None:
            query["dossier_id"] = dossier_id
        cursor = self.db.decisions.find(query).sort([("at", -1), ("_id", 1)]).skip((page - 1) * taille).limit(taille)
        return Page([row async for row in cursor], await self.db.decisions.count_documents(query))

    async def historique(self, association_ids: Sequence[str]) -> dict[str, dict[str, int]]:
        """Association → issue → number of decisions about its annonces."""
        cursor = self.db.decisions.aggregate(
            [
                {"$match": {"association_id": {"$in": list(association_ids)}, "cible_type": TypeCible.ANNONCE.value}},
                {"$group": {"_id": {"association": "$association_id", "issue": "$issue"}, "n": {"$sum": 1}}},
            ]
        )
        found: dict[str, dict[str, int]] = {}
        async for row in cursor:
            found.setdefault(row["_id"]["association"], {})[row["_id"]["issue"]] = row["n"]
        return found

    # Associations

    async def association(self, association_id: str | None, session: Session | None = None) -> Row | None:
        if association_id is None:
            return None
        row: Row | None = await self.db.associations.find_one({"_id": association_id}, session=session)
        return row

    async def associations(self, *, page: int, taille: int) -> Page:
        cursor = self.db.associations.find({}).sort([("nom", 1), ("_id", 1)]).skip((page - 1) * taille).limit(taille)
        return Page([row async for row in cursor], await self.db.associations.estimated_document_count())

    async def garder_association(self, association: Association, session: Session) -> None:
        """Stores the last public state; keeps `confiance`, which belongs to moderation."""
        champs = association.model_dump(mode="json")
        del champs["association_id"]
        await self.db.associations.update_one(
            {"_id": association.association_id}, {"$set": champs}, upsert=True, session=session
        )

    async def accorder_confiance(self, association_id: str, confiance: bool, session: Session) -> None:
        await self.db.associations.update_one(
            {"_id": association_id}, {"$set": {"confiance": confiance}}, session=session
        )

    # Erasure

    async def est_efface(self, compte_id: str, session: Session) -> bool:
        return await self.db.effaces.find_one({"_id": compte_id}, session=session) is not None

    async def effacer(self, compte_id: str, now: dt.datetime, session: Session) -> None:
        """Removes an account everywhere, with the texts that it posted as a citizen."""
        await self.db.effaces.replace_one({"_id": compte_id}, {"at": now}, upsert=True, session=session)
        await self._vider({"auteur.compte_id": compte_id, "auteur.type": TypeAuteur.PARTICULIER.value}, session)
        for collection, champ in (
            (self.db.dossiers, "auteur.compte_id"),
            (self.db.dossiers, "contenu.engagement.signe_par"),
            (self.db.associations, "engagement.signe_par"),
            (self.db.decisions, "auteur_compte_id"),
            (self.db.decisions, "par"),
        ):
            await collection.update_many({champ: compte_id}, {"$set": {champ: COMPTE_EFFACE}}, session=session)
        await self.db.dossiers.update_many(
            {"bail.par": compte_id}, {"$set": {"bail.par": COMPTE_EFFACE, "bail.expire_at": now}}, session=session
        )
        await self.db.associations.update_many(
            {"membres": compte_id}, {"$pull": {"membres": compte_id}}, session=session
        )

    async def effacer_textes(self, annonce_id: str, session: Session) -> None:
        """What was written in an annonce, and quoted from it."""
        await self._vider({"cible_id": annonce_id}, session)

    async def _vider(self, dossiers: Row, session: Session) -> None:
        ids = [row["_id"] async for row in self.db.dossiers.find(dossiers, {"_id": 1}, session=session)]
        vide: Row = {"titre": _TEXTE_EFFACE, "description": "", "contenu": {}, "approuvee": None}
        await self.db.dossiers.update_many({"_id": {"$in": ids}}, {"$set": vide}, session=session)
        await self.db.decisions.update_many(
            {"dossier_id": {"$in": ids}},
            {"$set": {"cible_titre": _TEXTE_EFFACE, "motifs.$[].passage": None, "motifs.$[].explication": ""}},
            session=session,
        )


_ORDRE = [("rang", 1), ("recu_at", 1), ("_id", 1)]


def _libres(now: dt.datetime, etat: Etat) -> Row:
    """Filter: in `etat` and free, or held by an expired lease."""
    revue = etat is Etat.A_REVOIR
    return {"$or": [{"etat": etat.value}, {"etat": Etat.PRIS.value, "revue": revue, "bail.expire_at": {"$lte": now}}]}


def _dans_etat(etat: Etat | None, now: dt.datetime) -> Row:
    if etat is None:
        return {"etat": {"$in": [etat.value for etat in OUVERTS]}}
    if etat in (Etat.A_TRAITER, Etat.A_REVOIR):
        return _libres(now, etat)
    if etat is Etat.PRIS:
        return {"etat": etat.value, "bail.expire_at": {"$gt": now}}
    return {"etat": etat.value}


def _row(dossier: Dossier) -> Row:
    row = dossier.model_dump()
    row["_id"] = row.pop("dossier_id")
    for champ in ("cible_type", "etat", "issue"):
        row[champ] = row[champ].value if row[champ] is not None else None
    row["auteur"]["type"] = row["auteur"]["type"].value
    row["rang"] = dossier.rang
    return row


def _dossier(row: Mapping[str, Any]) -> Dossier:
    return Dossier.model_validate({"dossier_id": row["_id"], **row})
