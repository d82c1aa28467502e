"""What those who run the platform see of it, and nobody else does."""

import aiohttp
import pytest

from deploy.stack.embedded import Stack
from tests.pile import Ville

pytestmark = pytest.mark.e2e
_PAGES = ("/metrics", "/sante/pret", "/sante/vivant")


async def _statut(http: aiohttp.ClientSession, url: str) -> int:
    async with http.get(url) as reponse:
        return reponse.status


async def test_les_mesures_et_la_sante_ne_sont_sur_aucun_port_qui_sert_des_pages(ville: Ville, pile: Stack) -> None:
    processus = [program for program in pile.programs() if "HEALTH_PORT" in program.environment]
    assert len(processus) == 9
    for program in processus:
        for page in _PAGES:
            assert await _statut(ville.http, pile.health_url(program.name) + page) == 200
            if "PORT" in program.environment:
                routes = f"http://127.0.0.1:{program.environment['PORT']}"
                assert await _statut(ville.http, routes + page) == 404, (program.name, page)
