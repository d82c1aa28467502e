"""Mongo: where exactly people meet, and what to bring; encrypted, since people write door codes and numbers there.

Rows of `rendez_vous`: {_id: annonce_id, lieu_prive: {cle, contenu} | None, a_apporter: the same, version, purge_at}. It
is no part of the annonce, so that no event can carry it. Only accepted people and those who posted the annonce read it.
"""

import datetime as dt
from dataclasses import replace

from kit.database.encryption import Cipher
from kit.database.mongo import Database, Session
from services.annonces.conversations.rules import CONSERVATION, RendezVous


class TableRendezVous:
    def __init__(self, db: Database, cipher: Cipher) -> None:
        self._lignes = db.rendez_vous
        self._cipher = cipher

    async def lire(self, annonce_id: str, session: Session | None = None) -> RendezVous:
        ligne = await self._lignes.find_one({"_id": annonce_id}, session=session)
        if ligne is None:
            return RendezVous()
        textes = {nom: self._ouvrir(annonce_id, nom, ligne[nom]) for nom in ("lieu_prive", "a_apporter")}
        return RendezVous(**textes, version=ligne["version"])

    async def noter(self, annonce_id: str, voulu: RendezVous, expire_at: dt.datetime, session: Session) -> bool:
        """Replaces what was said, whatever `voulu.version`; it is kept as long as messages are. False: nothing new."""
        connu = await self.lire(annonce_id, session)
        if connu == (voulu := replace(voulu, version=connu.version)):
            return False
        champs = {
            "lieu_prive": self._fermer(annonce_id, "lieu_prive", voulu.lieu_prive),
            "a_apporter": self._fermer(annonce_id, "a_apporter", voulu.a_apporter),
            "version": connu.version + 1,
            "purge_at": expire_at + CONSERVATION,
        }
        await self._lignes.update_one({"_id": annonce_id}, {"$set": champs}, upsert=True, session=session)
        return True

    async def effacer(self, annonce_id: str, session: Session) -> None:
        await self._lignes.delete_one({"_id": annonce_id}, session=session)

    def _fermer(self, annonce_id: str, nom: str, texte: str | None) -> object:
        return None if texte is None else self._cipher.encrypt(texte, f"{annonce_id}:{nom}")

    def _ouvrir(self, annonce_id: str, nom: str, ferme: dict[str, object] | None) -> str | None:
        return None if ferme is None else self._cipher.decrypt(ferme, f"{annonce_id}:{nom}")
