"""Wires the gateway: settings → stores → lifespan → routes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.staticfiles import StaticFiles

from contracts import topics
from gateway import api, proxy
from gateway.cache import Pages, PublicReader
from gateway.codes import Codes
from gateway.comptes import GestionComptes
from gateway.consentements import Consentements
from gateway.deps import Deps
from gateway.domain import CODES_PAR_SOURCE, codes_courts
from gateway.door import Door
from gateway.door_rules import Limit, networks
from gateway.handlers import Invalidation
from gateway.limits import Limits
from gateway.memory import Memory
from gateway.openapi import Merged
from gateway.pages import errors, site
from gateway.republication import sources
from gateway.rights import DroitsDesComptes
from gateway.schema import SCHEMA
from gateway.sessions import Sessions
from gateway.settings import Reglages
from gateway.store import Comptes
from gateway.telephones import Telephones
from gateway.upstream import Services
from kit.http.health import Check, Health
from kit.http.tokens import TokenSigner
from kit.http.web import create_app
from kit.lifecycle import Loop
from kit.logging import get_logger
from kit.messaging.consumer import Consumer
from kit.messaging.lag import Lags, with_retries
from kit.messaging.republication import DatabaseLost, Republication
from kit.resources import Runtime, open_runtime

log = get_logger(__name__)

SERVICE = "gateway"


def create(settings: Reglages) -> FastAPI:
    """The app; it comes up while servers are away, and says on /sante/pret what is missing."""
    health = Health()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        memory = Memory(settings.redis_url)
        page_memory = Memory(settings.cache_url or settings.redis_url)
        signer = TokenSigner(settings.jeton_cle_privee)
        services = Services(settings.services, signer, settings.delai_service_s, settings.attente_reprise_s)
        health.servers["redis"] = memory.ping
        if settings.cache_url:
            health.servers["cache"] = page_memory.ping
        async with open_runtime(SERVICE, settings, health) as runtime:
            cached = Pages(page_memory, settings.fraicheur_s, settings.peremption_s, settings.pages_gardees)
            app.state.deps = deps = _deps(app, settings, runtime, memory, services, cached)
            await deps.services.start()
            invalidation = Invalidation(cached, deps.droits)
            consumer = Consumer(
                settings.kafka_url,
                SERVICE,
                [topic.name for topic in topics.read_by(SERVICE)],
                invalidation,
                ping=memory.ping,
            )
            lags = Lags(settings.kafka_url, with_retries(topics.groupes(), topics.SANS_REPRISE))
            stopping = asyncio.Event()
            loops: list[Loop] = [consumer.run, lags.run, runtime.outbox.run_sweeper]
            background = asyncio.create_task(_background(runtime, loops, stopping))
            health.checks["evenements"] = _alive(background)
            try:
                yield
            finally:
                stopping.set()
                await asyncio.wait([background], timeout=10)
                background.cancel()
                await services.stop()
                await memory.close()
                await page_memory.close()

    door = Middleware(
        Door,
        public_url=settings.public_url,
        trusted=networks(settings.proxys_de_confiance),
        per_ip=Limit("requetes-ip", settings.limite_requetes_par_ip_minute, 60),
        writes=Limit("ecritures-compte", settings.limite_ecritures_par_compte_minute, 60),
        callbacks=Limit("rappels-ip", settings.limite_rappels_par_ip_minute, 60),
    )
    app = create_app("Place des assos", health, lifespan, doors=[door])
    errors.install(app)
    app.state.mentions = {
        "editeur": settings.editeur,
        "directeur": settings.directeur_publication,
        "hebergeur": settings.hebergeur,
        "contact": settings.contact,
    }
    app.include_router(api.router)
    app.mount("/static", StaticFiles(directory=Path(__file__).with_name("static")))
    site.install(app)
    app.add_route("/flux/{jeton:str}.xml", proxy.flux, methods=["GET", "HEAD"], include_in_schema=False)
    app.add_route("/calendrier/{jeton:str}.ics", proxy.calendrier, methods=["GET", "HEAD"], include_in_schema=False)
    app.add_route("/v1/{path:path}", proxy.api, methods=proxy.METHODS, include_in_schema=False)
    app.add_route("/moderation", proxy.moderation, methods=proxy.METHODS, include_in_schema=False)
    app.add_route("/moderation/{path:path}", proxy.moderation, methods=proxy.METHODS, include_in_schema=False)
    return app


def gestion(settings: Reglages, runtime: Runtime, memory: Memory, services: Services) -> GestionComptes:
    """What works on accounts, for the app and for the command line."""
    comptes = Comptes(runtime.mongo.db)
    courts = codes_courts(settings.limite_codes_par_adresse_heure)
    return GestionComptes(
        key=settings.empreinte_key,
        comptes=comptes,
        codes=Codes(memory, settings.empreinte_key),
        sessions=Sessions(memory),
        limits=Limits(memory),
        per_address=Limit("codes-adresse", courts, 3600),
        per_pair=Limit("codes-adresse-source", min(CODES_PAR_SOURCE, courts), 3600),
        per_ip=Limit("codes-ip", settings.limite_codes_par_ip_heure, 3600),
        tries=Limit("essais-ip", settings.limite_essais_par_ip_heure, 3600),
        droits=DroitsDesComptes(comptes, memory),
        services=services,
        outbox=runtime.outbox,
        clock=runtime.clock,
    )


def _deps(
    app: FastAPI, settings: Reglages, runtime: Runtime, memory: Memory, services: Services, cached: Pages
) -> Deps:
    limits = Limits(memory)
    consentements = Consentements(
        comptes=Comptes(runtime.mongo.db),
        services=services,
        outbox=runtime.outbox,
        memory=memory,
        clock=runtime.clock,
    )
    return Deps(
        gestion=gestion(settings, runtime, memory, services),
        consentements=consentements,
        telephones=Telephones(
            services=services,
            consentements=consentements,
            limits=limits,
            per_account=Limit("codes-sms-compte", settings.limite_codes_sms_par_compte_heure, 3600),
            per_ip=Limit("codes-sms-ip", settings.limite_codes_sms_par_ip_heure, 3600),
        ),
        sessions=Sessions(memory),
        droits=DroitsDesComptes(Comptes(runtime.mongo.db), memory),
        limits=limits,
        services=services,
        reader=PublicReader(cached, services),
        openapi=Merged(app.openapi, services, proxy.ROUTES),
        clock=runtime.clock,
    )


async def _background(runtime: Runtime, loops: list[Loop], stopping: asyncio.Event) -> None:
    """Waits for the servers, then runs the loops. An error here shows on /sante/pret."""
    while not stopping.is_set():
        preparing = asyncio.create_task(_prepare(runtime))
        until_stop = asyncio.create_task(stopping.wait())
        await asyncio.wait({preparing, until_stop}, return_when=asyncio.FIRST_COMPLETED)
        until_stop.cancel()
        if not preparing.done():
            preparing.cancel()
            return
        try:
            async with asyncio.TaskGroup() as group:
                for loop in (*loops, preparing.result().run):
                    group.create_task(_run(loop, stopping))
        except* DatabaseLost:
            # The pages go on; what keeps one account per address is made again first.
            log.warning("gateway_prepares_again")


async def _run(loop: Loop, stopping: asyncio.Event) -> None:
    await loop(stopping)


async def _prepare(runtime: Runtime) -> Republication:
    await runtime.prepare(topics.owned_by(SERVICE), topics.read_by(SERVICE), SCHEMA)
    republication = runtime.republication(sources(Comptes(runtime.mongo.db)))
    await republication.begin()
    return republication


def _alive(background: "asyncio.Task[None]") -> Check:
    async def check() -> None:
        if background.done():
            background.result()
            raise RuntimeError("the loops have ended")

    return check
