"""What those who run the platform see of it, and nobody else does."""

import asyncio
import secrets
from collections import Counter
from functools import partial
from pathlib import Path

import aiohttp
import pytest

from contracts.annonces import EvenementAnnonce
from deploy.client import Client, jusqu_a
from deploy.errors import Impossible
from deploy.stack.embedded import Stack
from deploy.stack.processes import BY_NAME, ENTRANT
from deploy.stack.supervision import Supervisor
from deploy.verbs import status
from tests.pile import Ville, annonce, profil
from tests.prometheus import prometheus
from tests.receveur import Receveur, Recu

pytestmark = pytest.mark.e2e
_PAGES = ("/metrics", "/sante/pret", "/sante/vivant")
_DEPOTS, _DE_FRONT = 30, 16
_CHEMIN = {
    ("gateway-api", "POST /v1/{path:path}"),
    ("annonces-api", "POST /v1/annonces"),
    ("moderation-worker", "AnnonceDeposee"),
    ("annonces-worker", "DecisionPrise"),
    ("matching-worker", "AnnoncePubliee"),
    ("notifications-worker", "CorrespondancesTrouvees"),
    ("notifications-worker", "remise email"),
    ("annonces-worker", "EnvoisRemis"),
}


async def _statut(http: aiohttp.ClientSession, url: str) -> int:
    async with http.get(url) as reponse:
        return reponse.status


async def test_les_mesures_et_la_sante_ne_sont_sur_aucun_port_qui_sert_des_pages(ville: Ville, pile: Stack) -> None:
    processus = [program for program in pile.programs() if "HEALTH_PORT" in program.environment]
    assert {program.name for program in processus} == set(BY_NAME)
    for program in processus:
        for page in _PAGES:
            assert await _statut(ville.http, pile.health_url(program.name) + page) == 200
            # The port of the process that receives mail speaks SMTP.
            if "PORT" in program.environment and program.name != ENTRANT:
                routes = f"http://127.0.0.1:{program.environment['PORT']}"
                assert await _statut(ville.http, routes + page) == 404, (program.name, page)


async def test_chaque_annonce_a_une_trace_entiere_du_depot_a_la_remise(ville: Ville, collecteur: Receveur) -> None:
    depuis = len(collecteur.brut)
    responsable, benevole = await ville.entrer("responsable"), await ville.entrer("benevole")
    association = await ville.association(responsable, confiance=True)
    await benevole.post("/v1/profils", profil("livres"))
    await ville.index_a_jour()
    de_front = asyncio.Semaphore(_DE_FRONT)

    async def deposer() -> None:
        async with de_front:
            await responsable.post("/v1/annonces", annonce(association, f"Besoin {secrets.token_hex(4)}", "livres"))

    await asyncio.gather(*(deposer() for _ in range(_DEPOTS)))
    await _traces_entieres(collecteur, depuis, _DEPOTS)


async def test_une_decision_prise_plus_tard_reste_dans_la_trace_de_l_annonce(
    ville: Ville, collecteur: Receveur
) -> None:
    depuis = len(collecteur.brut)
    responsable, benevole = await ville.entrer("responsable"), await ville.entrer("benevole")
    association = await ville.association(responsable)
    await benevole.post("/v1/profils", profil("livres"))
    await ville.index_a_jour()
    depose = await _deposer(responsable, association)
    await ville.decider(depose, "approuvee")
    (trace,) = await _traces_entieres(collecteur, depuis, 1)
    (decision,) = (span for span in trace if span.name == "decision")
    # The request of the moderator has a trace of its own.
    ((autre, _),) = decision.links
    assert autre != decision.trace


async def test_le_retard_est_connu_quand_plus_aucun_worker_ne_tourne(ville: Ville, pile: Stack, tmp_path: Path) -> None:
    responsable = await ville.entrer("responsable")
    association = await ville.association(responsable, confiance=True)
    supervisor = Supervisor(pile.layout)
    with prometheus(tmp_path, pile) as mesures:
        await asyncio.to_thread(supervisor.stop_and_wait, ["matching-worker"])
        try:
            await _deposer(responsable, association)
            for name in ("group_lag_events", "group_oldest_age_seconds"):
                retard = f'max({name}{{topic="{EvenementAnnonce.topic}", group="matching"}}) > 0'
                await jusqu_a(partial(mesures.ask, ville.http, retard), retard, 60)
            vus = {row.nom: row.retard for row in await asyncio.to_thread(status.collect)}
            assert (vus["matching-worker"] or 0) > 0
        finally:
            await asyncio.to_thread(supervisor.start, "matching-worker")
        await jusqu_a(
            partial(mesures.ask, ville.http, 'max(group_lag_events{group="matching"}) == 0'), "retard rattrapé", 120
        )


async def _deposer(responsable: Client, association: str) -> str:
    corps = annonce(association, f"Besoin {secrets.token_hex(4)}", "livres")
    return str((await responsable.post("/v1/annonces", corps))["annonce_id"])


async def _traces_entieres(collecteur: Receveur, depuis: int, combien: int) -> list[list[Recu]]:
    """The traces of the annonces of this test, once each is whole: all of the way, every span below another of it."""
    traces: list[list[Recu]] = []

    async def toutes() -> bool:
        traces[:] = [
            spans
            for spans in (await asyncio.to_thread(collecteur.traces, depuis)).values()
            if ("annonces-api", "POST /v1/annonces") in {(span.service, span.name) for span in spans}
        ]
        return len(traces) == combien and not any(map(_manque, traces))

    try:
        await jusqu_a(toutes, f"{combien} traces entières", 60)
    except Impossible:
        assert len(traces) == combien
        assert Counter(manque for trace in traces for manque in _manque(trace)) == {}
        raise
    return traces


def _manque(spans: list[Recu]) -> list[str]:
    """What a trace lacks: steps of the way that are nowhere in it, and spans whose parent is not in it."""
    ids = {span.span for span in spans}
    absents = _CHEMIN - {(span.service, span.name) for span in spans}
    orphelins = [span for span in spans if span.parent not in ids and (span.parent or span.service != "gateway-api")]
    return [f"sans {service} {name}" for service, name in sorted(absents)] + [
        f"orphelin {span.service} {span.name}" for span in orphelins
    ]
