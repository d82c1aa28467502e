"""The timer that tells whoever holds or waits for a place that days or place changed: one transaction per annonce, so
that many workers may run it.
"""

import asyncio
from dataclasses import replace

from contracts.annonces import Reponse
from kit.logging import get_logger
from kit.messaging.outbox import Tx
from kit.waiting import every
from services.annonces import changements
from services.annonces.actions import Deps
from services.annonces.reponses import EN_COURS
from services.annonces.store import fiche

log = get_logger(__name__)

_LOT = 100


async def dire_un(deps: Deps, annonce_id: str) -> bool:
    """False when somebody else has told it, or the annonce is not online any more."""
    now = deps.clock.now()

    async def work(tx: Tx) -> bool:
        document = await deps.store.annonce(annonce_id, tx.session)
        lue = fiche(document) if document else None
        if lue is None or lue.a_dire is None or lue.a_dire.dire_at > now:
            return False
        for ligne in await deps.store.reponses_dans(annonce_id, EN_COURS, tx.session):
            reponse = Reponse.model_validate(ligne)
            if dit := changements.a_prevenir(lue, reponse):
                event_id, event = dit
                await deps.store.enregistrer_reponse(reponse, tx.session, a_confirmer=True)
                tx.emit(event, event_id=event_id)
        await deps.store.enregistrer(replace(lue, a_dire=None), tx.session)
        return True

    return await deps.outbox.run(work)


async def dire_dus(deps: Deps) -> int:
    """Tells all changes whose hour has come; returns how many. What a crash left undone is due still."""
    nombre = 0
    while ids := await deps.store.changements_dus(deps.clock.now(), _LOT):
        faits = sum([await dire_un(deps, annonce_id) for annonce_id in ids])
        nombre += faits
        if not faits:
            # Others are at it: the next look will tell.
            break
    return nombre


async def run(deps: Deps, stopping: asyncio.Event) -> None:
    """Looks every `changement_s` seconds until `stopping`; a server that is away is waited for."""

    async def look() -> bool:
        if nombre := await dire_dus(deps):
            log.info("changes_told", count=nombre)
        return False

    await every(deps.settings.changement_s, look, stopping, away="changes_wait")
