"""The timer that ends annonces whose last day is over: one transaction each, so that many workers may run it."""

import asyncio

from kit.logging import get_logger
from kit.messaging.outbox import Tx
from kit.waiting import every
from services.annonces import domain
from services.annonces.actions import Deps, appliquer
from services.annonces.store import fiche
from services.annonces.transitions import FINAUX

log = get_logger(__name__)

_LOT = 100


async def expirer_une(deps: Deps, annonce_id: str) -> bool:
    """False when somebody else ended or prolonged it meanwhile."""
    now = deps.clock.now()

    async def work(tx: Tx) -> bool:
        document = await deps.store.annonce(annonce_id, tx.session)
        if document is None:
            return False
        lue = fiche(document)
        if lue.annonce.etat in FINAUX or lue.annonce.expire_at > now:
            return False
        await appliquer(tx, deps, domain.expirer(lue))
        return True

    return await deps.outbox.run(work)


async def expirer_echues(deps: Deps) -> int:
    """Ends all annonces that are due; returns how many."""
    nombre = 0
    while ids := await deps.store.echues(deps.clock.now(), _LOT):
        for annonce_id in ids:
            nombre += await expirer_une(deps, annonce_id)
    return nombre


async def run(deps: Deps, stopping: asyncio.Event) -> None:
    """Looks every `expiration_s` seconds until `stopping`; a server that is away is waited for."""

    async def look() -> bool:
        if nombre := await expirer_echues(deps):
            log.info("annonces_expired", count=nombre)
        return False

    await every(deps.settings.expiration_s, look, stopping, away="expiry_waits")
