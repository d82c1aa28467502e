"""Reads events, keeps the ledger, delivers, and takes up what others left."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from contracts import topics
from contracts.evenements import CATALOGUE
from kit.http.health import Health
from kit.lifecycle import Loop
from kit.resources import open_runtime
from services.notifications.delivery.sweeper import Sweeper
from services.notifications.handlers import HANDLERS, sans_effet
from services.notifications.preparation import preparer
from services.notifications.settings import SERVICE, Reglages
from services.notifications.wiring import monter


@asynccontextmanager
async def start(settings: Reglages, health: Health) -> AsyncIterator[list[Loop]]:
    async with open_runtime(SERVICE, settings, health) as runtime:
        atelier = monter(runtime, settings, settings.connexions)
        lus = topics.read_by(SERVICE)
        await preparer(runtime, settings)
        republication = runtime.republication()
        await republication.begin()
        deliverers = list(atelier.deliverers.values())
        health.refreshers += [deliverer.mesurer for deliverer in deliverers]
        processor = runtime.processor(HANDLERS, atelier.deps, CATALOGUE, ignore=sans_effet)
        try:
            yield [
                *(deliverer.run for deliverer in deliverers),
                *(Sweeper(deliverer, runtime.clock).run for deliverer in deliverers),
                *atelier.fournisseurs.boucles,
                atelier.resumes.run,
                atelier.regroupements.run,
                atelier.suivi.run,
                *runtime.consumers([topic.name for topic in lus], processor, health),
                runtime.outbox.run_sweeper,
                republication.run,
            ]
        finally:
            await atelier.fermer()
