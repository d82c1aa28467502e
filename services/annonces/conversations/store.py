"""Mongo: the texts that people write to one another, encrypted; the collections conversations, messages, prenoms.

`conversations`: {_id: reponse_id, nombre, fermee_par?, fermee_at?}; made when something is first written or closed.
`messages`: {_id, conversation_id, annonce_id, de, texte: {cle, contenu} | None (erased or withdrawn), canal?, carte?,
ecrit_at, purge_at}.
The words of the reponse itself stay in its row, as `message`: their message id is the id of the reponse. Rows of before
conversations existed hold them in clear. `prenoms`: {_id: compte_id, prenom: {cle, contenu}}.
"""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from contracts.annonces import Reponse
from contracts.effacement import COMPTE_EFFACE
from contracts.notifications import Canal
from kit.database.encryption import Cipher
from kit.database.mongo import Session
from services.annonces.conversations.rules import Carte, Conversation, Message
from services.annonces.store import Document, Store, annonce_de


class Conversations:
    def __init__(self, store: Store, cipher: Cipher) -> None:
        self._store = store
        self._cipher = cipher
        self._conversations = store.db.conversations
        self._messages = store.db.messages
        self._prenoms = store.db.prenoms

    async def lire(self, conversation_id: str, session: Session | None = None) -> Conversation | None:
        document = await self._store.reponse(conversation_id, session)
        if document is None:
            return None
        ligne = await self._store.annonce(document["annonce_id"], session)
        if ligne is None:
            raise LookupError(f"the annonce {document['annonce_id']} of the reponse {conversation_id} is missing")
        annonce = annonce_de(ligne)
        etat = await self._conversations.find_one({"_id": conversation_id}, session=session) or {}
        return Conversation(
            Reponse.model_validate(document),
            annonce,
            await self._store.gerants(annonce, session),
            etat.get("nombre", 0),
            etat.get("fermee_par"),
            etat.get("fermee_at"),
        )

    # Messages

    def chiffrer_mots(self, texte: str, reponse_id: str) -> Document | str:
        """What the row of a reponse keeps of its words."""
        return self._cipher.encrypt(texte, reponse_id) if texte else ""

    def mots(self, reponse: Document) -> str:
        """The words of a reponse, from its row; "" for none."""
        conserves = reponse["message"]
        return conserves if isinstance(conserves, str) else self._cipher.decrypt(conserves, reponse["_id"])

    def mot_de_l_auteur(self, reponse: Document) -> str:
        """What the author wrote when they declined a reponse, from its row; "" for none."""
        conserve = reponse.get("mot")
        return self._cipher.decrypt(conserve, reponse["_id"]) if conserve else ""

    async def message(self, id_: str, session: Session | None = None) -> Message | None:
        ligne = await self._messages.find_one({"_id": id_}, session=session)
        return self._message(ligne) if ligne else None

    async def premier_message(self, conversation_id: str) -> Message | None:
        """The words of the reponse, if there were any; those of an erased account are there, without their text."""
        document = await self._store.reponse(conversation_id)
        if document is None or not (document["message"] or document["compte_id"] == COMPTE_EFFACE):
            return None
        reponse = Reponse.model_validate(document)
        return Message(
            conversation_id,
            conversation_id,
            reponse.compte_id,
            None if reponse.compte_id == COMPTE_EFFACE else self.mots(document),
            reponse.deposee_at,
            reponse.canal,
        )

    async def page(self, conversation_id: str, page: int, taille: int) -> tuple[list[Message], int]:
        """One page, the newest message first, and how many there are."""
        filtre = {"conversation_id": conversation_id}
        debut, nombre = (page - 1) * taille, await self._messages.count_documents(filtre)
        cursor = self._messages.find(filtre).sort([("ecrit_at", -1), ("_id", 1)]).skip(debut).limit(taille)
        messages = [self._message(ligne) async for ligne in cursor]
        premier = await self.premier_message(conversation_id)
        if premier is None:
            return messages, nombre
        if debut <= nombre < debut + taille:
            messages.append(premier)
        return messages, nombre + 1

    async def ecrits_depuis(self, compte_id: str, depuis: dt.datetime, session: Session) -> int:
        """How many messages this account wrote, in all conversations."""
        return int(
            await self._messages.count_documents({"de": compte_id, "ecrit_at": {"$gt": depuis}}, session=session)
        )

    async def ajouter(self, message: Message, conversation: Conversation, session: Session) -> None:
        """Raises DuplicateKeyError for a known id. Its `texte` is given."""
        purge_at = conversation.purge_at(message.ecrit_at)
        ligne = {
            "_id": message.message_id,
            "conversation_id": message.conversation_id,
            "annonce_id": conversation.annonce.annonce_id,
            "de": message.de,
            "texte": self._cipher.encrypt(message.texte or "", message.message_id),
            "canal": message.canal.value if message.canal else None,
            "carte": message.carte.value if message.carte else None,
            "ecrit_at": message.ecrit_at,
            "purge_at": purge_at,
        }
        # This row is written by whoever writes, closes or erases: of two at once, one runs again and sees the other.
        await self._conversations.update_one(
            {"_id": message.conversation_id}, {"$inc": {"nombre": 1}}, upsert=True, session=session
        )
        await self._messages.insert_one(ligne, session=session)
        await self._messages.update_many(
            {"conversation_id": message.conversation_id}, {"$set": {"purge_at": purge_at}}, session=session
        )

    async def retirer(self, message_id: str, session: Session) -> None:
        """Forgets the text of a message; its row stays, so that both sides see that something was there."""
        await self._messages.update_one({"_id": message_id}, {"$set": {"texte": None}}, session=session)

    async def fermer(self, conversation_id: str, par: str, at: dt.datetime, session: Session) -> None:
        await self._conversations.update_one(
            {"_id": conversation_id}, {"$set": {"fermee_par": par, "fermee_at": at}}, upsert=True, session=session
        )

    def _message(self, ligne: Document) -> Message:
        texte = ligne["texte"]
        return Message(
            ligne["_id"],
            ligne["conversation_id"],
            ligne["de"],
            None if texte is None else self._cipher.decrypt(texte, ligne["_id"]),
            ligne["ecrit_at"],
            Canal(ligne["canal"]) if ligne["canal"] else None,
            Carte(ligne["carte"]) if ligne.get("carte") else None,
        )

    # First names

    async def prenoms(self, comptes: Iterable[str], session: Session | None = None) -> dict[str, str]:
        """By account; those that have not said theirs are missing."""
        cursor = self._prenoms.find({"_id": {"$in": sorted(set(comptes))}}, session=session)
        return {ligne["_id"]: self._cipher.decrypt(ligne["prenom"], ligne["_id"]) async for ligne in cursor}

    async def donner_prenom(self, compte_id: str, prenom: str, session: Session | None = None) -> None:
        valeur = self._cipher.encrypt(prenom, compte_id)
        await self._prenoms.update_one({"_id": compte_id}, {"$set": {"prenom": valeur}}, upsert=True, session=session)

    # Erasure

    async def effacer_compte(self, compte_id: str, reponses: Iterable[str], at: dt.datetime, session: Session) -> None:
        """Forgets what this account wrote and its first name, and closes the conversations of its `reponses`."""
        for reponse_id in reponses:
            await self.fermer(reponse_id, COMPTE_EFFACE, at, session)
        champs: dict[str, Any] = {"de": COMPTE_EFFACE, "texte": None}
        await self._messages.update_many({"de": compte_id}, {"$set": champs}, session=session)
        await self._conversations.update_many(
            {"fermee_par": compte_id}, {"$set": {"fermee_par": COMPTE_EFFACE}}, session=session
        )
        await self._prenoms.delete_one({"_id": compte_id}, session=session)
