"""Wires the api: its stores, and a small deliverer so that a code leaves at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from kit.health import Health
from kit.runtime import open_runtime
from kit.tokens import TokenVerifier
from kit.web import create_app
from services.notifications import api
from services.notifications.atelier import monter
from services.notifications.preparation import preparer
from services.notifications.settings import SERVICE, Reglages

# Codes only: two are enough, and each open connection is one that the workers lack.
_CONNEXIONS = 2


def create(settings: Reglages) -> FastAPI:
    health = Health()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_runtime(SERVICE, settings, health) as runtime:
            atelier = monter(runtime, settings, _CONNEXIONS)
            app.state.deps = api.Acces(runtime, atelier)
            app.state.verifier = TokenVerifier(settings.jeton_cle_publique, SERVICE)
            stopping = asyncio.Event()

            livraisons = [asyncio.create_task(livreur.run(stopping)) for livreur in atelier.livreurs.values()]

            async def vit() -> None:
                for task in livraisons:
                    if task.done():
                        task.result()

            health.checks["livraison"] = vit
            try:
                async with health.preparing(preparer(runtime, atelier, settings)):
                    yield
            finally:
                stopping.set()
                await asyncio.wait(livraisons, timeout=15)

    app = create_app("Place des assos\u00a0: notifications", health, lifespan, docs=True)
    app.include_router(api.interne)
    app.include_router(api.public)
    return app
