"""Digests: what waited for the hour of a profil becomes one message, best matches first, without what is filled."""

import asyncio
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from contracts.envois import Etat, Motif
from contracts.notifications import Canal
from kit.clock import Clock
from kit.database.mongo import Database
from kit.messaging.outbox import Outbox, Tx
from kit.waiting import every
from services.notifications.contacts.store import Contacts
from services.notifications.delivery.outgoing import Courrier
from services.notifications.domain import Cloture, Genre
from services.notifications.messages.catalogue import MESSAGES
from services.notifications.registre.ids import id_message
from services.notifications.registre.rows import Ligne
from services.notifications.registre.store import Registre

_TOUTES_LES_S = 1.0
_LOT = 100
_QUI = {"compte_id": "$compte_id", "profil_id": "$profil_id"}
MONTREES = 15
"""Annonces that one digest shows; of the others it says how many there are."""


@dataclass(frozen=True)
class Tri:
    """What becomes of the alerts that waited: shown (best first), counted, or dropped with a reason."""

    montrees: list[Ligne]
    autres: list[Ligne]
    ecartees: list[tuple[Ligne, Motif]]


def trier(lignes: Sequence[Ligne], clotures: dict[str, Cloture], refus: frozenset[str]) -> Tri:
    """The last version of each annonce counts; what is closed or was declined meanwhile is left out."""
    ecartees: list[tuple[Ligne, Motif]] = []
    par_annonce: dict[str, Ligne] = {}
    for ligne in sorted(lignes, key=lambda ligne: int(ligne["version"])):
        annonce_id = ligne["annonce_id"]
        cloture = clotures.get(annonce_id)
        if cloture is not None and cloture.couvre(ligne["version"]):
            ecartees.append((ligne, Motif.ANNONCE_CLOSE))
        elif annonce_id in refus:
            ecartees.append((ligne, Motif.ANNONCE_DECLINEE))
        else:
            if annonce_id in par_annonce:
                ecartees.append((par_annonce[annonce_id], Motif.RESUME))
            par_annonce[annonce_id] = ligne
    gardees = sorted(par_annonce.values(), key=lambda ligne: (-ligne.get("score", 0), ligne["cree_at"], ligne["_id"]))
    return Tri(gardees[:MONTREES], gardees[MONTREES:], ecartees)


class Resumes:
    """`public_url`: where the links of a digest lead."""

    def __init__(
        self,
        db: Database,
        registre: Registre,
        contacts: Contacts,
        courrier: Courrier,
        outbox: Outbox,
        clock: Clock,
        public_url: str,
    ) -> None:
        self._db = db
        self._registre = registre
        self._contacts = contacts
        self._courrier = courrier
        self._outbox = outbox
        self._clock = clock
        self._public_url = public_url.rstrip("/")

    async def run(self, stopping: asyncio.Event) -> None:
        """Until `stopping`; a server that is away is waited for."""

        async def look() -> bool:
            return await self.passer() == _LOT

        await every(_TOUTES_LES_S, look, stopping, away="digests_wait")

    async def passer(self) -> int:
        """Writes the digests that are due, at most a hundred; returns how many profils had one."""
        now = self._clock.now()
        # What waits for a digest is to be taken up when that is due: the index of those rows finds it.
        du = {"canal": Canal.EMAIL.value, "reprise_at": {"$lte": now}, "etat": Etat.EN_FILE.value}
        du |= {"resume_at": {"$lte": now}, "genre": Genre.ALERTE.value}
        cursor = self._db.envois.aggregate(
            [{"$match": du}, {"$group": {"_id": _QUI, "at": {"$min": "$resume_at"}}}, {"$limit": _LOT}]
        )
        dus = [(groupe["_id"]["compte_id"], groupe["_id"]["profil_id"], groupe["at"]) async for groupe in cursor]
        for compte_id, profil_id, at in dus:
            await self._outbox.run(partial(self._resumer, compte_id, profil_id, at))
        return len(dus)

    async def _resumer(self, compte_id: str, profil_id: str, at: dt.datetime, tx: Tx) -> None:
        lignes = await self._registre.pour_resume(compte_id, profil_id, self._clock.now(), tx.session)
        if not lignes:
            return
        clotures = await self._registre.clotures(ligne["annonce_id"] for ligne in lignes)
        choix = await self._contacts.choix(compte_id, tx.session)
        if choix.en_pause(self._clock.now()):
            tri = Tri([], [], [(ligne, Motif.PAUSE) for ligne in lignes])
        else:
            tri = trier(lignes, clotures, choix.refus)
        cause = f"{profil_id}:{at.isoformat()}"
        resume_id = id_message(Genre.RESUME, cause, compte_id, Canal.EMAIL)
        await self._registre.regrouper(
            [ligne["_id"] for ligne in (*tri.montrees, *tri.autres)], tri.ecartees, resume_id, tx.session
        )
        if not tri.montrees:
            return
        contenu_id = f"{Genre.RESUME}:{cause}"
        donnees = {
            "titre": _titre(len(tri.montrees) + len(tri.autres)),
            "annonces": [await self._annonce(ligne) for ligne in tri.montrees],
            "autres": len(tri.autres),
        }
        ligne = self._registre.ligne(
            resume_id,
            Genre.RESUME,
            Canal.EMAIL,
            compte_id,
            contenu_id,
            MESSAGES[Genre.RESUME].version,
            profil_id=profil_id,
            titre=donnees["titre"],
            pourquoi="",
        )
        await self._courrier.deposer(contenu_id, Genre.RESUME, donnees, [ligne], tx)

    async def _annonce(self, ligne: Ligne) -> dict[str, Any]:
        _, annonce = await self._registre.contenu(ligne["contenu_id"])
        return {
            **annonce,
            "pourquoi": ligne["pourquoi"],
            "lien": f"{self._public_url}/annonces/{ligne['annonce_id']}",
        }


def _titre(nombre: int) -> str:
    return "Une annonce pour vous" if nombre == 1 else f"{nombre} annonces pour vous"
