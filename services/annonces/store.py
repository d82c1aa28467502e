"""Mongo: the collections associations, annonces, reponses. A document is the state of the contract plus private fields.

Private fields of an annonce: version_deposee, motifs, alertes, en_attente (how many reponses wait), proposition and
a_dire (as in domain.Fiche; absent in rows of older versions), position (its place as GeoJSON), siren (of a company),
empreinte (of the request that made it under an Idempotency-Key). Of an association: version_inscrite, motifs, numeros
(unique while it is not refused and has members). Of a reponse: message and mot (what the author wrote when they
declined it), both encrypted by store.py, active (at most one for an account and an annonce), rappel_pour
(the day of which its account was reminded), a_confirmer (True once a change was told, False once it was confirmed). The
rang of a reponse that waits is kept up to date here; events tell it once.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any

from pydantic import BaseModel

from contracts.annonces import Annonce, Association, EtatAnnonce, EtatAssociation, EtatReponse, Reponse
from contracts.commun import TypeAuteur
from contracts.moderation import Motif
from kit.database.mongo import Database, Session
from kit.messaging.outbox import WAITING
from services.annonces.associations import FicheAssociation
from services.annonces.contenu import ChangementADire, Proposition
from services.annonces.domain import Fiche, lieu_public
from services.annonces.reponses import ACTIVES, EN_COURS
from services.annonces.transitions import VIVANTS

Document = dict[str, Any]


def bson(value: Any) -> Any:
    """What Mongo can store: models become documents, enums their value, dates (which BSON lacks) ISO text."""
    if isinstance(value, BaseModel):
        return {name: bson(item) for name, item in value}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {name: bson(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [bson(item) for item in value]
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value.isoformat()
    return value


def annonce_de(document: Document) -> Annonce:
    """The annonce of a row. A process of an older version, which still runs during an upgrade, stores exact places."""
    annonce = Annonce.model_validate(document)
    return annonce.model_copy(update={"lieu": lieu_public(annonce.lieu, annonce.auteur)})


def fiche(document: Document) -> Fiche:
    motifs = [Motif.model_validate(motif) for motif in document.get("motifs", [])]
    proposition, a_dire = document.get("proposition"), document.get("a_dire")
    return Fiche(
        annonce_de(document),
        document["version_deposee"],
        motifs,
        document.get("en_attente", 0),
        Proposition.model_validate(proposition) if proposition else None,
        ChangementADire.model_validate(a_dire) if a_dire else None,
    )


def fiche_association(document: Document) -> FicheAssociation:
    motifs = [Motif.model_validate(motif) for motif in document.get("motifs", [])]
    return FicheAssociation(Association.model_validate(document), document["version_inscrite"], motifs)


def champs(fiche: Fiche) -> Document:
    """What is stored of it, and changes with it."""
    annonce = fiche.annonce
    return {
        **bson(annonce),
        "version_deposee": fiche.version_deposee,
        "motifs": bson(fiche.motifs),
        "en_attente": fiche.en_attente,
        "proposition": bson(fiche.proposition),
        "a_dire": bson(fiche.a_dire),
        "position": {"type": "Point", "coordinates": [annonce.lieu.lon, annonce.lieu.lat]},
    }


def _champs_association(fiche: FicheAssociation) -> Document:
    return {
        **bson(fiche.association),
        "version_inscrite": fiche.version_inscrite,
        "motifs": bson(fiche.motifs),
    }


def numeros(association: Association) -> list[str]:
    """What no two associations may share: its numbers, each with its kind."""
    pairs = (("rna", association.rna), ("siren", association.siren))
    return [f"{kind}:{number}" for kind, number in pairs if number]


class Store:
    def __init__(self, db: Database) -> None:
        self.db = db
        self.annonces = db.annonces
        self.associations = db.associations
        self.reponses = db.reponses

    # Annonces

    async def annonce(self, id_: str, session: Session | None = None) -> Document | None:
        return await self.annonces.find_one({"_id": id_}, session=session)

    async def inserer(self, fiche: Fiche, session: Session, **prives: Any) -> Document:
        """Raises DuplicateKeyError for a known id."""
        document = {"_id": fiche.annonce.annonce_id, **champs(fiche), "alertes": 0, **prives}
        await self.annonces.insert_one(document, session=session)
        return document

    async def enregistrer(self, fiche: Fiche, session: Session, **prives: Any) -> None:
        """Writes the new state. Read the old one in the same transaction: a concurrent change then runs it again."""
        await self.annonces.update_one(
            {"_id": fiche.annonce.annonce_id}, {"$set": {**champs(fiche), **prives}}, session=session
        )

    async def compter_alertes(self, annonce_id: str, nombre: int, session: Session) -> bool:
        """False when there is no such annonce."""
        result = await self.annonces.update_one({"_id": annonce_id}, {"$inc": {"alertes": nombre}}, session=session)
        return result.matched_count == 1

    async def echues(self, now: dt.datetime, limite: int) -> list[str]:
        """Ids of annonces whose last day is over, the oldest first."""
        filtre = {"etat": {"$in": bson(sorted(VIVANTS))}, "expire_at": {"$lte": now}}
        cursor = self.annonces.find(filtre, {"_id": 1}).sort("expire_at", 1).limit(limite)
        return [row["_id"] async for row in cursor]

    async def changements_dus(self, now: dt.datetime, limite: int) -> list[str]:
        """Ids of annonces of which a change is to be told by now, the oldest first."""
        cursor = self.annonces.find({"a_dire.dire_at": {"$lte": now}}, {"_id": 1}).sort("a_dire.dire_at", 1)
        return [row["_id"] async for row in cursor.limit(limite)]

    async def publications(
        self, debut: dt.datetime | None, fin: dt.datetime | None, ids: list[str] | None, apres: str | None, limite: int
    ) -> list[Document]:
        """{annonce_id, titre, publiee_at} of what was published in a period, by id, after `apres`."""
        bornes = {"$ne": None} | ({"$gte": debut} if debut else {}) | ({"$lt": fin} if fin else {})
        des_ids = ({"$gt": apres} if apres else {}) | ({"$in": ids} if ids is not None else {})
        filtre: Document = {"publiee_at": bornes} | ({"_id": des_ids} if des_ids else {})
        cursor = self.annonces.find(filtre, {"titre": 1, "publiee_at": 1}).sort("_id", 1).limit(limite)
        return [{"annonce_id": row.pop("_id"), **row} async for row in cursor]

    async def a_publier(self, topic: str) -> set[str]:
        """Keys of the events of `topic` that are stored and not published yet."""
        return {row["key"].decode() async for row in self.db.outbox.find({**WAITING, "topic": topic}, {"key": 1})}

    async def vivantes_de_association(self, association_id: str, session: Session) -> list[Document]:
        filtre = {"auteur.association_id": association_id, "etat": {"$in": bson(sorted(VIVANTS))}}
        return [row async for row in self.annonces.find(filtre, session=session)]

    async def annonces_du_compte(self, compte_id: str, session: Session) -> list[Document]:
        """All that this account posted, in whatever name and state."""
        return [row async for row in self.annonces.find({"auteur.compte_id": compte_id}, session=session)]

    async def mes_annonces(self, compte_id: str, page: int, taille: int) -> tuple[list[Document], int]:
        """Those of the account itself and of the associations of which it is a member, the newest first."""
        associations = [row["_id"] async for row in self.associations.find({"membres": compte_id}, {"_id": 1})]
        filtre = {
            "$or": [
                {"auteur.compte_id": compte_id, "auteur.type": {"$ne": TypeAuteur.ASSOCIATION.value}},
                {"auteur.association_id": {"$in": associations}},
            ]
        }
        return await self._page(self.annonces, filtre, "deposee_at", page, taille)

    async def gerants(self, annonce: Annonce, session: Session | None = None) -> list[str]:
        """The accounts that answer for an annonce: the members of its association, or who posted it."""
        if annonce.auteur.association_id is None:
            return [annonce.auteur.compte_id]
        document = await self.association(annonce.auteur.association_id, session)
        return list(document["membres"]) if document else []

    # Associations

    async def association(self, id_: str, session: Session | None = None) -> Document | None:
        return await self.associations.find_one({"_id": id_}, session=session)

    async def inserer_association(self, fiche: FicheAssociation, session: Session) -> Document:
        """Raises DuplicateKeyError when another association that was not refused has one of its numbers."""
        association = fiche.association
        document = {
            "_id": association.association_id,
            **_champs_association(fiche),
            "numeros": numeros(association),
        }
        await self.associations.insert_one(document, session=session)
        return document

    async def enregistrer_association(self, fiche: FicheAssociation, session: Session) -> None:
        """Raises DuplicateKeyError when another association that was not refused has one of its numbers."""
        association = fiche.association
        change: Document = {"$set": _champs_association(fiche)}
        if association.etat is EtatAssociation.REFUSEE or not association.membres:
            # Its numbers are free again: somebody else signed it up wrongly, or nobody is left to add a member.
            change["$unset"] = {"numeros": ""}
        else:
            change["$set"]["numeros"] = numeros(association)
        await self.associations.update_one({"_id": association.association_id}, change, session=session)

    async def associations_du_compte(self, compte_id: str, session: Session) -> list[Document]:
        return [row async for row in self.associations.find({"membres": compte_id}, session=session)]

    async def mes_associations(self, compte_id: str, page: int, taille: int) -> tuple[list[Document], int]:
        return await self._page(self.associations, {"membres": compte_id}, "inscrite_at", page, taille)

    async def du_jour(self, jour: dt.date) -> list[Annonce]:
        """The annonces that begin on this day, and were neither refused nor withdrawn."""
        ecartes = bson([EtatAnnonce.REFUSEE, EtatAnnonce.RETIREE])
        cursor = self.annonces.find({"date_debut": jour.isoformat(), "etat": {"$nin": ecartes}})
        return [annonce_de(row) async for row in cursor]

    # Reponses

    async def reponse(self, id_: str, session: Session | None = None) -> Document | None:
        return await self.reponses.find_one({"_id": id_}, session=session)

    async def inserer_reponse(self, reponse: Reponse, message: Document | str, session: Session) -> None:
        """Raises DuplicateKeyError when this account already has an answer to this annonce that is not over."""
        document = {"_id": reponse.reponse_id, **bson(reponse), "message": message, "active": reponse.etat in EN_COURS}
        await self.reponses.insert_one(document, session=session)

    async def enregistrer_reponse(self, reponse: Reponse, session: Session, **prives: Any) -> None:
        champs = {**bson(reponse), "active": reponse.etat in EN_COURS, **prives}
        await self.reponses.update_one({"_id": reponse.reponse_id}, {"$set": champs}, session=session)

    async def reponse_en_cours(self, annonce_id: str, compte_id: str, session: Session) -> Document | None:
        """The one answer of this account to this annonce that is not over."""
        filtre = {"annonce_id": annonce_id, "compte_id": compte_id, "active": True}
        return await self.reponses.find_one(filtre, session=session)

    async def declins(self, annonce_id: str, compte_id: str, session: Session) -> int:
        """How many answers of this account to this annonce were declined, or freed after they were accepted."""
        filtre = {"annonce_id": annonce_id, "compte_id": compte_id, "etat": EtatReponse.DECLINEE.value}
        return await self.reponses.count_documents(filtre, session=session)

    async def premiere_en_attente(self, annonce_id: str, plafond: int, session: Session) -> Document | None:
        """The first of the waiting list that asks for at most `plafond` places."""
        filtre = {"annonce_id": annonce_id, "etat": EtatReponse.EN_ATTENTE.value, "quantite": {"$lte": plafond}}
        return await self.reponses.find_one(filtre, sort=[("rang", 1)], session=session)

    async def avancer(self, annonce_id: str, rang: int, session: Session) -> None:
        """Those behind `rang`, which is free now, move up by one."""
        filtre = {"annonce_id": annonce_id, "etat": EtatReponse.EN_ATTENTE.value, "rang": {"$gt": rang}}
        await self.reponses.update_many(filtre, {"$inc": {"rang": -1}}, session=session)

    async def reponses_dans(self, annonce_id: str, etats: Iterable[EtatReponse], session: Session) -> list[Document]:
        filtre = {"annonce_id": annonce_id, "etat": {"$in": bson(sorted(etats))}}
        return [row async for row in self.reponses.find(filtre, session=session)]

    async def clore_reponses(self, annonce_id: str, etats: Iterable[EtatReponse], session: Session) -> None:
        """What reponses.clore says, for all of them at once: there may be thousands."""
        champs = {"etat": EtatReponse.CLOSE.value, "active": False, "place": None, "rang": None}
        filtre = {"annonce_id": annonce_id, "etat": {"$in": bson(sorted(etats))}}
        await self.reponses.update_many(filtre, {"$set": champs, "$inc": {"version": 1}}, session=session)

    async def a_rappeler(self, annonces: Iterable[str], jour: dt.date, prevu_at: dt.datetime, limite: int) -> list[str]:
        """Ids of answers that hold places on `jour`, were accepted or here by `prevu_at`, and not reminded of it."""
        filtre = {
            "annonce_id": {"$in": list(annonces)},
            "etat": {"$in": bson(sorted(ACTIVES))},
            "rappel_pour": {"$ne": jour.isoformat()},
            "$or": [{"etat": EtatReponse.ACCEPTEE.value}, {"deposee_at": {"$lte": prevu_at}}],
        }
        return [row["_id"] async for row in self.reponses.find(filtre, {"_id": 1}).limit(limite)]

    async def noter_efface(self, compte_id: str, at: dt.datetime, session: Session) -> None:
        """What arrives late must not bring the account back."""
        await self.db.effaces.replace_one({"_id": compte_id}, {"at": at}, upsert=True, session=session)

    async def est_efface(self, compte_id: str, session: Session) -> bool:
        return await self.db.effaces.find_one({"_id": compte_id}, session=session) is not None

    async def reponses_du_compte(self, compte_id: str, session: Session) -> list[Document]:
        return [row async for row in self.reponses.find({"compte_id": compte_id}, session=session)]

    async def oublier_destinataire(self, compte_id: str, session: Session) -> None:
        """Answers keep whom they were told to; an erased account is no more among them."""
        await self.reponses.update_many(
            {"destinataires": compte_id}, {"$pull": {"destinataires": compte_id}}, session=session
        )

    async def effacer_dans_reponses(self, annonce_id: str, titre: str, session: Session) -> None:
        """What answers repeat of the author of an annonce, when it must be forgotten: `titre` stands for the title."""
        champs = {"annonce_titre": titre, "mot": ""}
        await self.reponses.update_many({"annonce_id": annonce_id}, {"$set": champs}, session=session)

    async def reponses_a(self, annonce_id: str, page: int, taille: int) -> tuple[list[Document], int]:
        return await self._page(self.reponses, {"annonce_id": annonce_id}, "deposee_at", page, taille)

    async def mes_reponses(self, compte_id: str, page: int, taille: int) -> tuple[list[Document], int]:
        return await self._page(self.reponses, {"compte_id": compte_id}, "deposee_at", page, taille)

    async def chercher(self, pipeline: Iterable[Document]) -> Document:
        """The one document of a search: its last stage is a $facet (see recherche.py)."""
        found: list[Document] = await self.annonces.aggregate(list(pipeline)).to_list(1)
        return found[0]

    async def _page(
        self, collection: Any, filtre: Document, champ: str, page: int, taille: int
    ) -> tuple[list[Document], int]:
        cursor = collection.find(filtre).sort([(champ, -1), ("_id", 1)]).skip((page - 1) * taille).limit(taille)
        return [row async for row in cursor], await collection.count_documents(filtre)
