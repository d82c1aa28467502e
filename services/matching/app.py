"""Wires the API."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from contracts import topics
from kit.health import Health
from kit.runtime import Runtime, open_runtime
from kit.tokens import TokenVerifier
from kit.waiting import outlast
from kit.web import create_app
from services.matching import store
from services.matching.api import router
from services.matching.settings import SERVICE, Reglages


def create(settings: Reglages) -> FastAPI:
    health = Health()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_runtime(SERVICE, settings, health) as runtime:
            app.state.runtime = runtime
            app.state.settings = settings
            app.state.verifier = TokenVerifier(settings.jeton_cle_publique, SERVICE)
            async with health.preparing(prepare(runtime)):
                yield

    app = create_app("Place des assos\u00a0: matching", health, lifespan, docs=True)
    app.include_router(router)
    return app


async def prepare(runtime: Runtime) -> None:
    """Topics and indexes; waits for servers that are away."""
    await runtime.prepare(topics.owned_by(SERVICE), topics.read_by(SERVICE))
    await outlast(store.create_indexes, runtime.mongo.db)
