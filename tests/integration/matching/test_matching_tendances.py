"""Faust counts needs against offers, and finds its counts again after a stop."""

import asyncio
import datetime as dt
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from contracts.commun import Lieu, Sens
from kit.clock import SystemClock
from services.matching.counting_agent import CountingAgent
from services.matching.settings import Reglages
from services.matching.weekly_counts import HORS_VILLE, Cellule

pytestmark = pytest.mark.usefixtures("api")


@asynccontextmanager
async def au_travail(reglages: Reglages, groupe: str) -> AsyncIterator[CountingAgent]:
    tendances, stopping = CountingAgent(reglages.kafka_url, SystemClock(), groupe), asyncio.Event()
    running = asyncio.create_task(tendances.run(stopping))
    try:
        yield tendances
    finally:
        stopping.set()
        await running


async def test_besoins_et_offres_de_la_semaine_sont_comptes_par_domaine_et_quartier(
    reglages: Reglages, publier: Any, publiee: Any, bientot: Any
) -> None:
    domaine, groupe, now = f"d{uuid.uuid4().hex[:12]}", f"essai-{uuid.uuid4().hex[:8]}", dt.datetime.now(dt.UTC)
    lille = Lieu(quartier="lille-centre", lat=50.63, lon=3.06)
    besoins = [publiee(domaines=[domaine], publiee_at=now, lieu=lille) for _ in range(3)]
    offres = [publiee(domaines=[domaine], publiee_at=now, sens=Sens.OFFRE) for _ in range(2)]
    avant = publiee(domaines=[domaine], publiee_at=now - dt.timedelta(days=7), lieu=lille)
    for event in [*besoins, *offres, avant, besoins[0]]:
        await publier(event)
    attendu = {Cellule("besoin", domaine, "lille-centre"): 3, Cellule("offre", domaine, HORS_VILLE): 2}

    def nombres(tendances: CountingAgent, at: dt.datetime = now) -> dict[Cellule, int]:
        return {cellule: nombre for cellule, nombre in tendances.compter(at).items() if cellule.domaine == domaine}

    async with au_travail(reglages, groupe) as premiere:
        await bientot(lambda: nombres(premiere) == attendu)
        await bientot(lambda: nombres(premiere, now - dt.timedelta(days=7)))
    async with au_travail(reglages, groupe) as seconde:
        await bientot(lambda: nombres(seconde) == attendu)
        encore = publiee(domaines=[domaine], publiee_at=now, lieu=lille)
        await publier(encore)
        attendu[Cellule("besoin", domaine, "lille-centre")] = 4
        await bientot(lambda: nombres(seconde) == attendu)
