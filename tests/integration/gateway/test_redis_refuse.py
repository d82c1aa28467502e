"""A Redis that answers, and refuses to write: what needs it is told to come back, the rest goes on."""

from collections.abc import Iterator
from typing import Any

import pytest
from redis import Redis

from deploy.stack.servers.servers import Servers
from gateway.sessions import COOKIE
from tests.integration.gateway.banc import Banc
from tests.serveurs import Serveurs

REFUS = {
    # Nothing more fits in.
    "OOM": {"maxmemory": "1"},
    # Fewer replicas than wanted, as where a fail-over is under way.
    "NOREPLICAS": {"min-replicas-to-write": "1"},
}


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis of these tests alone, since they make it refuse."""
    with Servers(tmp_path_factory.mktemp("redis"), only=("redis",)) as servers:
        yield servers.urls["REDIS_URL"]


@pytest.fixture
def reglages(serveurs: Serveurs, redis_url: str) -> dict[str, Any]:
    return {
        "mongo_url": serveurs.mongo_url,
        "redis_url": redis_url,
        "kafka_url": serveurs.kafka_url,
        "limite_codes_par_ip_heure": 100_000,
        "limite_requetes_par_ip_minute": 1_000_000,
    }


@pytest.mark.parametrize("raison", [*REFUS, "READONLY"])
async def test_un_redis_qui_refuse_d_ecrire_ne_fait_aucune_erreur_interne(
    banc: Banc, redis_url: str, raison: str
) -> None:
    banc.services["annonces"].say("GET", "/v1/annonces", {"annonces": [], "total": 0})
    headers = await banc.bearer(banc.client)
    with Redis.from_url(redis_url) as redis:
        before = {name: redis.config_get(name)[name] for name in REFUS.get(raison, {})}
        for name, value in REFUS.get(raison, {}).items():
            redis.config_set(name, value)
        if raison == "READONLY":
            # A replica of nobody: port 9 (discard) has no server.
            redis.execute_command("REPLICAOF", "127.0.0.1", "9")
        try:
            for path in ("/v1/annonces", "/", "/annonces", "/accessibilite", "/v1/references"):
                assert (await banc.client.get(path)).status_code == 200, path
            refused = [
                await banc.client.get("/v1/mes/annonces", headers=headers),
                await banc.client.post("/v1/annonces", json={}, headers=headers),
                await banc.client.post("/v1/comptes/code", json={"email": "a@exemple.fr"}),
                await banc.client.post("/v1/sessions", json={"email": "a@exemple.fr", "code": "123456"}),
            ]
            assert [answer.status_code for answer in refused] == [503] * len(refused)
            assert all(int(answer.headers["retry-after"]) > 0 for answer in refused)
            assert all("momentanément indisponible" in answer.json()["detail"] for answer in refused)
        finally:
            if raison == "READONLY":
                redis.execute_command("REPLICAOF", "NO", "ONE")
            for name, value in before.items():
                redis.config_set(name, value)
    # Nobody was logged out by it.
    assert (await banc.client.get("/v1/mes/annonces", headers=headers)).status_code == 200
    assert COOKIE not in banc.client.cookies
