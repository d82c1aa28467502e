"""Puts messages into the ledger and, once that is committed, before the deliverers: the one way in for all of them."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pymongo.errors import BulkWriteError

from contracts.effacement import TEXTE_EFFACE
from contracts.envois import Etat, Motif
from contracts.notifications import Canal
from kit import telemetry
from kit.database.mongo import DUPLICATE_KEY, write_error_codes
from kit.errors import RetryLater
from kit.messaging.outbox import Tx
from services.notifications import domain
from services.notifications.contacts.store import Contacts
from services.notifications.delivery.claimed_ahead import Lot
from services.notifications.delivery.compiled import Modeles
from services.notifications.delivery.deliverer import Deliverer
from services.notifications.domain import Genre
from services.notifications.messages.catalogue import MESSAGES
from services.notifications.metrics import compter_non_envoyes
from services.notifications.planning import limits
from services.notifications.registre.ids import id_message
from services.notifications.registre.recipients import Recipients
from services.notifications.registre.rows import Ligne
from services.notifications.registre.store import Registre

Secret = Callable[[str], Mapping[str, Any]]
"""From the id of an envoi: its sealed address and code."""


@dataclass(frozen=True)
class Courrier:
    """`deliverers`: one per channel. `repetes`: contents of which some rows existed when they were last stored."""

    registre: Registre
    contacts: Contacts
    modeles: Modeles
    deliverers: Mapping[Canal, Deliverer]
    repetes: set[str] = field(default_factory=set)

    async def repondre(
        self,
        genre: Genre,
        canal: Canal,
        compte_id: str,
        cause_id: str,
        donnees: Mapping[str, Any],
        tx: Tx,
        secret: Secret | None = None,
    ) -> None:
        """A message to one person on one channel."""
        envoi_id = id_message(genre, cause_id, compte_id, canal)
        autres = {"secret": secret(envoi_id)} if secret else {}
        await self.ecrire({compte_id: canal}, genre, cause_id, donnees, tx, **autres)

    async def ecrire(
        self,
        a: Mapping[str, Canal],
        genre: Genre,
        cause_id: str,
        donnees: Mapping[str, Any],
        tx: Tx,
        **autres: Any,
    ) -> dict[str, str]:
        """A message to accounts that have a hand in the matter (`a`: account → channel), once per cause. Returns the id
        of each row, by account; erased ones have none: what is told late must not bring them back."""
        effaces = await self.contacts.effaces(a, tx.session)
        donnees = await self._sans_mots_effaces(donnees, tx)
        contenu_id = f"{genre}:{cause_id}"
        lignes = [
            self.registre.ligne(
                id_message(genre, cause_id, compte_id, canal),
                genre,
                canal,
                compte_id,
                contenu_id,
                MESSAGES[genre].version,
                titre=donnees.get("titre", ""),
                pourquoi="",
                **autres,
            )
            for compte_id, canal in a.items()
            if compte_id not in effaces
        ]
        if lignes:
            await self.deposer(contenu_id, genre, donnees, lignes, tx)
        return {ligne["compte_id"]: ligne["_id"] for ligne in lignes}

    async def _sans_mots_effaces(self, donnees: Mapping[str, Any], tx: Tx) -> Mapping[str, Any]:
        """What is told late about an erased annonce does not bring its title back."""
        annonce_id = donnees.get("annonce_id", donnees.get("cible_id"))
        if annonce_id is None:
            return donnees
        cloture = (await self.registre.clotures([annonce_id], tx.session)).get(annonce_id)
        return {**donnees, "titre": TEXTE_EFFACE} if cloture is not None and cloture.effacee else donnees

    async def deposer(
        self,
        contenu_id: str,
        genre: Genre,
        donnees: Mapping[str, Any],
        lignes: list[Ligne],
        tx: Tx,
        recipients: Recipients | None = None,
    ) -> None:
        """Stores the rows; delivery of what is pressing starts on commit, without a look at the database in between.

        `recipients`: what was just read of them.
        """
        if contenu_id in self.repetes:
            connus = await self.registre.connus([ligne["_id"] for ligne in lignes], tx.session)
            lignes = [ligne for ligne in lignes if ligne["_id"] not in connus]
        if genre in limits.LIBELLES:
            await self._limiter(genre, lignes, tx)
        if cause := telemetry.inject():
            for ligne in lignes:
                ligne["cause"] = cause
        partent = self._partent(genre, lignes)
        # Claimed by the transaction that inserts them, where the channel allows it.
        lots = {
            canal: await self.deliverers[canal].claim_ahead(siennes, recipients, tx.session)
            for canal, siennes in partent.items()
        }
        try:
            await self.registre.deposer(contenu_id, genre, donnees, lignes, tx.session)
        except BulkWriteError as error:
            if DUPLICATE_KEY not in write_error_codes(error):
                raise
            # Told again under another event id, which is rare: only then do we pay for looking first, at the next try.
            self.repetes.add(contenu_id)
            raise RetryLater("some of these messages exist already") from error
        jamais = [(Etat(ligne["etat"]), ligne["motif"]) for ligne in lignes if ligne["etat"] in domain.FINS_SANS_REMISE]
        tx.after_commit(lambda: self._livrer(contenu_id, genre, donnees, partent, lots, jamais))

    async def _limiter(self, genre: Genre, lignes: Sequence[Ligne], tx: Tx) -> None:
        """What is over the limit of its person waits for the message that counts it."""
        for ligne in lignes:
            now = ligne["cree_at"]
            passe = await self.registre.passe(genre, ligne["compte_id"], now, tx.session)
            if at := limits.attente(genre, passe, now):
                ligne.update(reprise_at=at, resume_at=at, motif=Motif.REGROUPEMENT.value)

    def _partent(self, genre: Genre, lignes: Sequence[Ligne]) -> dict[Canal, list[Ligne]]:
        """What leaves at once, by channel."""
        if genre not in domain.PRESSES:
            return {}
        now = self.registre.clock.now()
        partent = [ligne for ligne in lignes if _part(ligne, now)]
        return {canal: [ligne for ligne in partent if ligne["canal"] == canal] for canal in self.deliverers}

    def _livrer(
        self,
        contenu_id: str,
        genre: Genre,
        donnees: Mapping[str, Any],
        partent: Mapping[Canal, Sequence[Ligne]],
        lots: Mapping[Canal, list[Lot]],
        jamais: Sequence[tuple[Etat, str | None]],
    ) -> None:
        """`jamais`: the states and reasons of the rows that were stored as done, and are never sent."""
        self.repetes.discard(contenu_id)
        compter_non_envoyes(jamais)
        self.modeles.retenir(contenu_id, genre, donnees)
        for canal, siennes in partent.items():
            if lots[canal]:
                self.deliverers[canal].take_claimed(lots[canal])
            else:
                self.deliverers[canal].take(siennes)


def _part(ligne: Ligne, now: dt.datetime) -> bool:
    return "resume_at" not in ligne and domain.part_tout_de_suite(Etat(ligne["etat"]), ligne.get("reprise_at"), now)
