"""A gateway for each test; servers are shared."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.gateway.banc import Banc, monter
from tests.serveurs import Serveurs


@pytest.fixture
def reglages(request: pytest.FixtureRequest, serveurs: Serveurs) -> dict[str, Any]:
    """Settings of the gateway under test; the parameter of a test, if it has one, is what it sets otherwise."""
    return {
        "mongo_url": serveurs.mongo_url,
        "redis_url": serveurs.redis_url,
        "kafka_url": serveurs.kafka_url,
        # Tests share an address and a minute.
        "limite_codes_par_ip_heure": 100_000,
        "limite_essais_par_ip_heure": 100_000,
        "limite_requetes_par_ip_minute": 1_000_000,
        **getattr(request, "param", {}),
    }


@pytest.fixture
async def banc(reglages: dict[str, Any], secrets_dir: Path) -> AsyncIterator[Banc]:
    public_pem = (secrets_dir / "commun" / "jeton_cle_publique").read_text()
    async with monter(reglages, public_pem) as found:
        yield found
