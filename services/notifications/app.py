"""Wires the api: its stores, and a small deliverer so that a code leaves at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from kit.http.health import Health
from kit.http.tokens import TokenVerifier
from kit.http.web import create_app
from kit.resources import open_runtime
from services.notifications import (
    api,
    api_apercu,
    api_coordonnees,
    api_flux,
    api_preferences,
    api_registre,
    api_reponses,
    api_webhooks,
)
from services.notifications.canaux.providers import HTTP
from services.notifications.canaux.push.encryption import cle_publique
from services.notifications.deps import Acces
from services.notifications.preparation import preparer
from services.notifications.settings import SERVICE, Reglages
from services.notifications.wiring import monter

# Codes only: two are enough, and each open connection is one that the workers lack.
_CONNEXIONS = 2


def create(settings: Reglages) -> FastAPI:
    health = Health()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_runtime(SERVICE, settings, health) as runtime:
            atelier = monter(runtime, settings, _CONNEXIONS)
            app.state.deps = Acces(
                runtime,
                atelier,
                settings.domaine,
                cle_publique(settings.cle_vapid) if settings.cle_vapid else None,
                {HTTP: settings.sms_http_secret},
                settings.secret_relais,
            )
            app.state.compositeur = atelier.compositeur
            app.state.plafond_sms = settings.sms_plafond_euros * 100
            services = {"annonces": settings.jeton_cle_publique_annonces}
            app.state.verifier = TokenVerifier(settings.jeton_cle_publique, SERVICE, services=services)
            stopping = asyncio.Event()

            loops = [*(deliverer.run for deliverer in atelier.deliverers.values()), *atelier.fournisseurs.boucles]
            livraisons = [asyncio.ensure_future(loop(stopping)) for loop in loops]

            async def vit() -> None:
                for task in livraisons:
                    if task.done():
                        task.result()

            health.checks["livraison"] = vit
            try:
                async with health.preparing(preparer(runtime, settings)):
                    yield
            finally:
                stopping.set()
                await asyncio.wait(livraisons, timeout=15)
                await atelier.fermer()

    app = create_app("Place des assos\u00a0: notifications", health, lifespan, docs=True)
    for module in (api, api_preferences, api_coordonnees):
        app.include_router(module.interne)
    for module in (api, api_preferences, api_reponses, api_webhooks, api_flux):
        app.include_router(module.public)
    for module in (api_apercu, api_registre):
        app.include_router(module.routeur)
    return app
