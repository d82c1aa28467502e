"""Erases data of a person from the ledger: account ids, and texts that they wrote as a citizen."""

from collections.abc import Mapping
from typing import Any

from contracts.effacement import COMPTE_EFFACE, TEXTE_EFFACE
from kit.database.mongo import Database, Session
from services.notifications.domain import Genre
from services.notifications.registre.ids import alertes_de
from services.notifications.registre.old_ids import anciennes_de

AUTRES_QUE_ALERTES = sorted(genre.value for genre in Genre if genre is not Genre.ALERTE)
"""The index "contenu" covers the rows of these kinds; rows of alerts are found by their ids."""


class LedgerErasure:
    def __init__(self, db: Database) -> None:
        self._db = db
        self._envois = db.envois
        self._contenus = db.contenus

    async def compte(self, compte_id: str, session: Session) -> None:
        """Removes the author's account id from messages that others received about annonces of this account."""
        await self._mettre(
            {"donnees.auteur.compte_id": compte_id}, {"donnees.auteur.compte_id": COMPTE_EFFACE}, session
        )
        await self._mettre(
            {"donnees.annonces.auteur.compte_id": compte_id},
            {"donnees.annonces.$[une].auteur.compte_id": COMPTE_EFFACE},
            session,
            [{"une.auteur.compte_id": compte_id}],
        )

    async def annonce(self, annonce_id: str, session: Session) -> None:
        """Removes the texts of an annonce from contents, digests, confirmations, and the titles in rows. Messages about
        it that are not sent yet are sent without these texts."""
        sujet = {"$or": [{"donnees.annonce_id": annonce_id}, {"donnees.cible_id": annonce_id}]}
        contenus = [ligne async for ligne in self._contenus.find(sujet, {"donnees.titre": 1}, session=session)]
        if not contenus:
            return
        ids = [ligne["_id"] for ligne in contenus]
        titres = list({str(ligne["donnees"].get("titre", "")) for ligne in contenus} - {"", TEXTE_EFFACE})
        siens = {"_id": {"$in": ids}}
        await self._mettre(siens, {"donnees.titre": TEXTE_EFFACE, "donnees.motifs": []}, session)
        await self._mettre({**siens, "donnees.description": {"$exists": True}}, {"donnees.description": ""}, session)
        await self._listes(annonce_id, titres, session)
        await self._lignes(alertes_de(annonce_id), session)
        anciennes = await anciennes_de(self._db, [annonce_id], session)
        await self._lignes({"_id": {"$in": anciennes}}, session)
        await self._lignes({"genre": {"$in": AUTRES_QUE_ALERTES}, "contenu_id": {"$in": ids}}, session)

    async def _listes(self, annonce_id: str, titres: list[str], session: Session) -> None:
        """Messages about several annonces; some refer to an annonce only by its title."""
        efface = {"titre": TEXTE_EFFACE, "description": "", "pourquoi": ""}
        await self._mettre(
            {"donnees.annonces.annonce_id": annonce_id},
            {f"donnees.annonces.$[une].{nom}": valeur for nom, valeur in efface.items()},
            session,
            [{"une.annonce_id": annonce_id}],
        )
        for liste in ("annonces", "nouvelles"):
            await self._mettre(
                {f"donnees.{liste}.titre": {"$in": titres}},
                {f"donnees.{liste}.$[une].titre": TEXTE_EFFACE},
                session,
                [{"une.titre": {"$in": titres}}],
            )
        confirmes = {"genre": Genre.NON_CONFIRME.value, "donnees.titre": {"$in": titres}}
        refus = [ligne["_id"] async for ligne in self._contenus.find(confirmes, {"_id": 1}, session=session)]
        await self._mettre({"_id": {"$in": refus}}, {"donnees.titre": TEXTE_EFFACE}, session)
        await self._lignes({"genre": {"$in": AUTRES_QUE_ALERTES}, "contenu_id": {"$in": refus}}, session)

    async def _mettre(
        self,
        filtre: Mapping[str, Any],
        valeurs: Mapping[str, Any],
        session: Session,
        lesquelles: list[dict[str, Any]] | None = None,
    ) -> None:
        await self._contenus.update_many(filtre, {"$set": valeurs}, array_filters=lesquelles, session=session)

    async def _lignes(self, filtre: Mapping[str, Any], session: Session) -> None:
        await self._envois.update_many(filtre, {"$set": {"titre": TEXTE_EFFACE}}, session=session)
