"""Wires the API."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from kit.http.health import Health
from kit.http.tokens import TokenVerifier
from kit.http.web import create_app
from kit.resources import open_runtime
from services.matching.api import router
from services.matching.preparation import preparer
from services.matching.settings import SERVICE, Reglages


def create(settings: Reglages) -> FastAPI:
    health = Health()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_runtime(SERVICE, settings, health) as runtime:
            app.state.runtime = runtime
            app.state.settings = settings
            app.state.verifier = TokenVerifier(settings.jeton_cle_publique, SERVICE)
            async with health.preparing(preparer(runtime)):
                yield

    app = create_app("Place des assos\u00a0: matching", health, lifespan, docs=True)
    app.include_router(router)
    return app
