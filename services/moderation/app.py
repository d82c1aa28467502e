"""Wires the api: settings → runtime → store → actions → routes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from kit.http.health import Health
from kit.http.tokens import TokenVerifier
from kit.http.web import create_app
from kit.resources import open_runtime
from services.moderation import api, pages
from services.moderation.actions import Actions
from services.moderation.preparation import preparer
from services.moderation.rendering import install_errors
from services.moderation.settings import SERVICE, Reglages
from services.moderation.store import Store


def create(settings: Reglages) -> FastAPI:
    """Creates the API. It starts while servers are away, and says so on /sante/pret."""
    health = Health()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_runtime(SERVICE, settings, health) as runtime:
            app.state.verifier = TokenVerifier(settings.jeton_cle_publique, SERVICE)
            app.state.deps = Actions(Store(runtime.mongo.db), runtime.outbox, runtime.clock, settings.bail)
            app.state.politique = settings.politique
            async with health.preparing(preparer(runtime)):
                yield

    app = create_app("Place des assos : modération", health, lifespan, docs=True)
    install_errors(app)
    app.include_router(api.router)
    app.mount("/moderation/static", StaticFiles(directory=Path(__file__).with_name("static")))
    app.include_router(pages.router)
    return app
