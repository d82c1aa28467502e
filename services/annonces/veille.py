"""The timer of the day before: reminds those who hold places, one transaction each, so that many workers may run it."""

import asyncio
import datetime as dt

from contracts.annonces import Reponse
from kit.logging import get_logger
from kit.messaging.outbox import Tx
from kit.waiting import every
from services.annonces import rappels
from services.annonces.actions import Deps, rappeler
from services.annonces.store import fiche

log = get_logger(__name__)

_LOT = 100


async def rappeler_une(deps: Deps, reponse_id: str) -> bool:
    """False when somebody else has told it, or it was taken back meanwhile."""

    async def work(tx: Tx) -> bool:
        document = await deps.store.reponse(reponse_id, tx.session)
        annonce = document and await deps.store.annonce(document["annonce_id"], tx.session)
        if document is None or annonce is None:
            return False
        reponse = Reponse.model_validate(document)
        return await rappeler(tx, deps, reponse, fiche(annonce), document.get("rappel_pour"))

    return await deps.outbox.run(work)


async def rappeler_dues(deps: Deps) -> int:
    """Reminds all who are due; returns how many. What a crash left undone is due still."""
    now = deps.clock.now()
    nombre = 0
    for jour in rappels.jours(now, deps.settings.rappel_heure):
        annonces = await deps.store.du_jour(jour)
        nombre += await _rappeler(
            deps, [a.annonce_id for a in annonces if now < rappels.debut_at(jour, a.creneaux)], jour
        )
    return nombre


async def _rappeler(deps: Deps, annonces: list[str], jour: dt.date) -> int:
    prevu_at = rappels.prevu_at(jour, deps.settings.rappel_heure)
    nombre = 0
    while annonces and (ids := await deps.store.a_rappeler(annonces, jour, prevu_at, _LOT)):
        faits = sum([await rappeler_une(deps, reponse_id) for reponse_id in ids])
        nombre += faits
        if not faits:
            # It began, or others are at it: the next look will tell.
            break
    return nombre


async def run(deps: Deps, stopping: asyncio.Event) -> None:
    """Looks every `rappel_s` seconds until `stopping`; a server that is away is waited for."""

    async def look() -> bool:
        if nombre := await rappeler_dues(deps):
            log.info("reminders_due", count=nombre)
        return False

    await every(deps.settings.rappel_s, look, stopping, away="reminders_wait")
