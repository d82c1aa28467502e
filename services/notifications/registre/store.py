"""The ledger: one row per message and person (rows.py), claimed before the hand-over and marked after it (claims.py).

`contenus` {_id, genre, donnees, cree_at}: the data of a message to many people, stored once. `clotures`: annonces that
need nobody any more. `desabonnements`: unsubscribed profils.
"""

import datetime as dt
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

from contracts.envois import Etat, Motif
from contracts.notifications import Canal, DesabonnementDemande
from kit.clock import Clock
from kit.database.mongo import Database, Session
from kit.ids import stable_id
from kit.messaging.outbox import Tx
from services.notifications import domain
from services.notifications.canaux.feedback import Retour
from services.notifications.canaux.sms.references import formes
from services.notifications.conversations import rhythm
from services.notifications.domain import Cloture, Genre
from services.notifications.metrics import NON_ENVOYES
from services.notifications.planning import limits
from services.notifications.planning.limits import MessagesRecents
from services.notifications.registre.ids import alertes_de
from services.notifications.registre.old_ids import anciennes_de
from services.notifications.registre.rows import FINI, Ligne

_A_REPRENDRE = {"reprise_at": {"$exists": True}}


class Registre:
    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self.clock = clock

    def ligne(
        self,
        envoi_id: str,
        genre: Genre,
        canal: Canal,
        compte_id: str,
        contenu_id: str,
        gabarit: int,
        now: dt.datetime | None = None,
        **autres: Any,
    ) -> Ligne:
        """A new row in the queue. `autres` may contain another `etat`, `motif` or `reprise_at` (None: never)."""
        now = now or self.clock.now()
        ligne = {
            "_id": envoi_id,
            "genre": genre.value,
            "canal": canal.value,
            "compte_id": compte_id,
            "contenu_id": contenu_id,
            "gabarit": gabarit,
            "etat": Etat.EN_FILE.value,
            "tentatives": 0,
            "cree_at": now,
            "reprise_at": now + domain.premiere_reprise(genre),
            **autres,
        }
        if ligne["reprise_at"] is None:
            del ligne["reprise_at"]
        return ligne

    async def deposer(
        self, contenu_id: str, genre: Genre, donnees: Mapping[str, Any], lignes: Sequence[Ligne], session: Session
    ) -> None:
        """Stores a content and the rows of its recipients. Raises BulkWriteError when a row exists already."""
        await self._db.contenus.update_one(
            {"_id": contenu_id},
            {"$setOnInsert": {"genre": genre.value, "donnees": dict(donnees), "cree_at": self.clock.now()}},
            upsert=True,
            session=session,
        )
        if lignes:
            await self._db.envois.insert_many(lignes, session=session)

    async def connus(self, envoi_ids: Sequence[str], session: Session) -> set[str]:
        cursor = self._db.envois.find({"_id": {"$in": list(envoi_ids)}}, {"_id": 1}, session=session)
        return {ligne["_id"] async for ligne in cursor}

    async def contenu(self, contenu_id: str) -> tuple[Genre, dict[str, Any]]:
        """Returns kind and data of a content. Raises LookupError when it does not exist."""
        trouve = await self._db.contenus.find_one({"_id": contenu_id})
        if trouve is None:
            raise LookupError(contenu_id)
        return Genre(trouve["genre"]), trouve["donnees"]

    async def a_reprendre(
        self, canal: Canal, limite: int, sauf: Container[str] = (), depuis: dt.datetime | None = None
    ) -> tuple[list[Ligne], bool]:
        """Rows of a channel that any process may take over, due since `depuis` (None: ever), oldest first.

        Leaves out rows that wait for a digest, and those in `sauf`, which the caller holds already. Examines at most
        `limite` rows; also returns whether there may be more.
        """
        due = {
            **_dus(canal, depuis, self.clock.now()),
            "etat": {"$in": domain.venant_de(Etat.REMISE)},
            "resume_at": {"$exists": False},
        }
        cursor = self._db.envois.find(due, {"_id": 1}).sort("reprise_at", 1).limit(limite)
        vues = [ligne["_id"] async for ligne in cursor]
        ids = [envoi_id for envoi_id in vues if envoi_id not in sauf]
        if not ids:
            return [], len(vues) == limite
        # Check again that the rows are due: another process may have claimed them meanwhile.
        found = self._db.envois.find({"_id": {"$in": ids}, **due}).sort("reprise_at", 1)
        return [ligne async for ligne in found], len(vues) == limite

    async def plus_ancien(self, canal: Canal) -> dt.datetime | None:
        """Due time of the row that has waited longest; rows that wait for an hour or a digest do not count."""
        due = _dus(canal, None, self.clock.now())
        ligne = await self._db.envois.find_one(due, {"reprise_at": 1}, sort=[("reprise_at", 1)])
        return ligne["reprise_at"] if ligne else None

    async def nommer(self, contenu_id: str, titre: str) -> str:
        """The title under which a content is always sent: the first that it was given."""
        trouve = await self._db.contenus.find_one_and_update(
            {"_id": contenu_id},
            [{"$set": {"donnees.titre": {"$ifNull": ["$donnees.titre", {"$literal": titre}]}}}],
            projection={"donnees.titre": 1},
            return_document=True,
        )
        return str(trouve["donnees"]["titre"]) if trouve else titre

    async def messages(self, envoi_id: str) -> list[str]:
        """The messages of a conversation that a row tells, in their order. Raises LookupError."""
        ligne = await self._db.envois.find_one({"_id": envoi_id}, {"messages": 1})
        if ligne is None:
            raise LookupError(envoi_id)
        return list(ligne["messages"])

    async def joindre_message(self, compte_id: str, contenu_id: str, message_id: str, session: Session) -> bool:
        """Adds a message to the row that waits for a quiet moment, and delays it. True when there is one, or when the
        message is told already."""
        de_la_conversation = {"compte_id": compte_id, "contenu_id": contenu_id}
        if await self._db.envois.find_one({**de_la_conversation, "messages": message_id}, {"_id": 1}, session=session):
            return True
        attend = {"etat": Etat.EN_FILE.value, "motif": Motif.MESSAGES_GROUPES.value}
        ligne = await self._db.envois.find_one({**de_la_conversation, **attend}, {"cree_at": 1}, session=session)
        if ligne is None:
            return False
        reprise_at = rhythm.report(ligne["cree_at"], self.clock.now())
        joint = await self._db.envois.update_one(
            {"_id": ligne["_id"], **attend},
            {"$push": {"messages": message_id}, "$set": {"reprise_at": reprise_at}},
            session=session,
        )
        return bool(joint.modified_count)

    async def clore(self, annonce_id: str, cloture: Cloture, session: Session) -> None:
        """Stores that the annonce needs nobody any more, and cancels its waiting alerts. A final closure stays
        final."""
        await self._db.clotures.update_one(
            {"_id": annonce_id},
            {"$max": {"version": cloture.version, "definitive": cloture.definitive, "effacee": cloture.effacee}},
            upsert=True,
            session=session,
        )
        versions = {} if cloture.definitive else {"version": {"$lte": cloture.version}}
        await self._annuler({**alertes_de(annonce_id), **versions}, Motif.ANNONCE_CLOSE, session)
        if anciennes := await anciennes_de(self._db, [annonce_id], session):
            await self._annuler({"_id": {"$in": anciennes}, **versions}, Motif.ANNONCE_CLOSE, session)

    async def clotures(self, annonce_ids: Iterable[str], session: Session | None = None) -> dict[str, Cloture]:
        cherches = list(set(annonce_ids))
        if not cherches:
            return {}
        cursor = self._db.clotures.find({"_id": {"$in": cherches}}, session=session)
        return {
            ligne["_id"]: Cloture(ligne["version"], ligne["definitive"], ligne.get("effacee", False))
            async for ligne in cursor
        }

    async def noter_reponse(self, envoi_id: str, intention: str, quantite: int, session: Session) -> int | None:
        """Stores the latest answer through the link of this alert. Returns the number of different answers so far, so
        that a "yes" after a "no" is a new answer; None when the answer is the same as before."""
        dit = {"reponse": intention, "reponse_quantite": quantite}
        ligne = await self._db.envois.find_one_and_update(
            {"_id": envoi_id, "$nor": [dit]},
            {"$set": dit, "$inc": {"reponses": 1}},
            projection={"reponses": 1},
            return_document=True,
            session=session,
        )
        return int(ligne["reponses"]) if ligne else None

    async def refuser(self, compte_id: str, annonce_id: str, session: Session) -> None:
        """Cancels what waits for this person about this annonce."""
        await self._annuler({"compte_id": compte_id, "annonce_id": annonce_id}, Motif.ANNONCE_DECLINEE, session)

    async def fermer_canal(self, compte_id: str, canal: Canal, session: Session) -> None:
        """STOP: cancels what waits on this channel, except replies to what the person did."""
        genres = [genre.value for genre in domain.A_HEURES_OUVRABLES]
        filtre = {"compte_id": compte_id, "canal": canal.value, "genre": {"$in": genres}}
        await self._annuler(filtre, Motif.DESABONNE, session)

    async def desabonner(self, profil_id: str, envoi_id: str, demande_at: dt.datetime, tx: Tx) -> None:
        """Unsubscribes the profil and emits the event, unless that was done before."""
        session = tx.session
        fait = await self._db.desabonnements.update_one(
            {"_id": profil_id},
            {"$setOnInsert": {"envoi_id": envoi_id, "at": self.clock.now()}},
            upsert=True,
            session=session,
        )
        # If the row of the link is gone (after a year), waiting messages are dropped when they are handed over.
        envoi = await self._db.envois.find_one({"_id": envoi_id}, {"compte_id": 1}, session=session)
        if envoi is not None and envoi["compte_id"]:
            await self._passer_aux_autres(envoi["compte_id"], profil_id, session)
            await self._annuler({"compte_id": envoi["compte_id"], "profil_id": profil_id}, Motif.DESABONNE, session)
        if fait.upserted_id is not None:
            event = DesabonnementDemande(envoi_id=envoi_id, profil_id=profil_id, demande_at=demande_at)
            tx.emit(event, event_id=stable_id("desabonnement", profil_id))

    async def _passer_aux_autres(self, compte_id: str, profil_id: str, session: Session) -> None:
        """What waits in the name of a profil goes on in that of the next one by which it concerns the same person."""
        siennes = {"compte_id": compte_id, **_A_REPRENDRE}
        await self._db.envois.update_many(
            {**siennes, "autres_profils": profil_id}, {"$pull": {"autres_profils": profil_id}}, session=session
        )
        suivant: dict[str, Any] = {"$first": "$autres_profils"}
        apres = {"$filter": {"input": "$autres_profils", "cond": {"$ne": ["$$this", suivant]}}}
        await self._db.envois.update_many(
            {**siennes, "profil_id": profil_id, "autres_profils.0": {"$exists": True}},
            [{"$set": {"profil_id": suivant, "autres_profils": apres}}],
            session=session,
        )

    async def desabonnes(self, profil_ids: Iterable[str]) -> set[str]:
        cherches = list(set(profil_ids))
        if not cherches:
            return set()
        return {ligne["_id"] async for ligne in self._db.desabonnements.find({"_id": {"$in": cherches}}, {"_id": 1})}

    async def _annuler(self, filtre: Mapping[str, Any], motif: Motif, session: Session) -> None:
        """Cancels waiting rows, but not those being handed over, which may be sent already."""
        waiting = [etat for etat in domain.venant_de(Etat.ANNULEE) if etat != Etat.REMISE]
        fait = await self._db.envois.update_many(
            {**filtre, **_A_REPRENDRE, "etat": {"$in": waiting}},
            {"$set": {"etat": Etat.ANNULEE.value, "motif": motif.value}, "$unset": FINI},
            session=session,
        )
        # A repeated transaction counts twice. This is rare, and alerts on this metric use ratios.
        NON_ENVOYES.labels(motif.value).inc(fait.modified_count)

    async def effacer(self, compte_id: str, session: Session) -> None:
        """Removes everything about the person from the rows, which stay for statistics."""
        await self._annuler({"compte_id": compte_id}, Motif.COMPTE_EFFACE, session)
        await self._db.envois.update_many(
            {"compte_id": compte_id},
            {
                "$set": {"compte_id": ""},
                "$unset": {"profil_id": "", "autres_profils": "", "pourquoi": "", "titre": "", "secret": ""},
            },
            session=session,
        )

    async def secrets_sous_une_autre_cle(self, courante: str) -> int:
        """Number of unfinished messages whose address or code is encrypted with another key than `courante`."""
        return await self._db.envois.count_documents({"secret.cle": {"$exists": True, "$ne": courante}})

    async def passe(self, genre: Genre, compte_id: str, now: dt.datetime, session: Session) -> MessagesRecents:
        """What limits a message of this genre to this person."""
        ensemble = {"genre": {"$in": [autre.value for autre in limits.comptes_ensemble(genre)]}}
        recents = {"compte_id": compte_id, "cree_at": {"$gt": now - limits.FENETRE}}
        attend = {"compte_id": compte_id, **ensemble, "etat": Etat.EN_FILE.value, "motif": Motif.REGROUPEMENT.value}
        attendu = await self._db.envois.find_one(
            {**attend, "resume_at": {"$gt": now}}, {"resume_at": 1}, sort=[("cree_at", -1)], session=session
        )
        seuls = {
            **ensemble,
            "etat": {"$nin": [Etat.ANNULEE.value, Etat.SANS_CONSENTEMENT.value]},
            "resume_at": {"$exists": False},
        }
        nombre = await self._db.envois.count_documents(
            {**recents, **seuls}, limit=limits.libres(genre), session=session
        )
        comptes = await self._db.envois.find_one(
            {**recents, "genre": Genre.REGROUPEMENT.value}, {"_id": 1}, session=session
        )
        return MessagesRecents(nombre, comptes is not None, attendu["resume_at"] if attendu else None)

    async def pour_resume(self, compte_id: str, profil_id: str, now: dt.datetime, session: Session) -> list[Ligne]:
        """The alerts of a profil that are due in a digest."""
        qui = {"compte_id": compte_id, "profil_id": profil_id}
        filtre = {**qui, "etat": Etat.EN_FILE.value, "resume_at": {"$lte": now}}
        return [ligne async for ligne in self._db.envois.find({**filtre, **_A_REPRENDRE}, session=session)]

    async def regrouper(
        self, envoi_ids: Sequence[str], ecartes: Sequence[tuple[Ligne, Motif]], resume_id: str, session: Session
    ) -> None:
        """Marks alerts as sent in the digest `resume_id`; those in `ecartes` are dropped, each with its motive."""
        if envoi_ids:
            await self._db.envois.update_many(
                {"_id": {"$in": list(envoi_ids)}, "etat": Etat.EN_FILE.value},
                {"$set": {"etat": Etat.REGROUPEE.value, "resume_id": resume_id}, "$unset": FINI},
                session=session,
            )
        for ligne, motif in ecartes:
            await self._db.envois.update_one(
                {"_id": ligne["_id"], "etat": Etat.EN_FILE.value},
                {"$set": {"etat": Etat.ANNULEE.value, "motif": motif.value}, "$unset": FINI},
                session=session,
            )
            NON_ENVOYES.labels(motif.value).inc()

    async def de_retour(self, retour: Retour, session: Session) -> Ligne | None:
        """The row that a provider's report is about."""
        if retour.envoi_id is not None:
            return await self._db.envois.find_one({"_id": retour.envoi_id}, session=session)
        envois, filtre = self._db.envois, {"fournisseur": retour.fournisseur}
        exacte = await envois.find_one({**filtre, "reference": retour.reference}, session=session)
        if exacte is not None or retour.reference is None:
            return exacte
        # The reference may be written in another form than in the provider's answer; accept it if exactly one message
        # matches.
        autres = {**filtre, "reference": {"$in": formes(retour.reference)}}
        trouvees = [ligne async for ligne in envois.find(autres, session=session).limit(2)]
        return trouvees[0] if len(trouvees) == 1 else None

    async def conclure(self, envoi_id: str, etat: Etat, motif: str, session: Session) -> None:
        """Stores the state reported by a provider, if it may follow the current state."""
        await self._db.envois.update_one(
            {"_id": envoi_id, "etat": {"$in": domain.venant_de(etat)}},
            {
                "$set": {"etat": etat.value, "motif": motif, "conclu_at": self.clock.now()},
                "$unset": FINI,
            },
            session=session,
        )


def _dus(canal: Canal, depuis: dt.datetime | None, now: dt.datetime) -> dict[str, Any]:
    """Filter for rows to take over. Includes the channel, because the index needs it: otherwise each sweep would read
    the whole ledger."""
    return {"canal": canal.value, "reprise_at": {"$lt": now, **({"$gte": depuis} if depuis else {})}}
