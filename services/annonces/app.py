"""Wires the API."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from kit.http.health import Health
from kit.http.tokens import TokenVerifier
from kit.http.web import create_app
from kit.resources import open_runtime
from services.annonces import web
from services.annonces.api import router
from services.annonces.preparation import preparer
from services.annonces.settings import SERVICE, Reglages
from services.annonces.wiring import monter


def create(settings: Reglages) -> FastAPI:
    """The app comes up while servers are away: /sante/pret says so until topics and indexes are there."""
    health = Health()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_runtime(SERVICE, settings, health) as runtime:
            deps = app.state.deps = monter(runtime, settings)
            services = {"notifications": settings.jeton_cle_publique_notifications}
            app.state.verifier = TokenVerifier(settings.jeton_cle_publique, SERVICE, services=services)
            try:
                async with health.preparing(preparer(runtime)):
                    yield
            finally:
                await deps.notifications.close()

    app = create_app("Place des assos\u00a0: annonces", health, lifespan, docs=True)
    web.install(app)
    app.include_router(router)
    return app
