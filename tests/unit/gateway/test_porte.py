"""What the door leaves of a request for those outside of it: metrics, the log, traces."""

import httpx
from prometheus_client import REGISTRY

from gateway.app import create
from gateway.settings import Reglages


def answered(route: str) -> float:
    labels = {"method": "GET", "route": route, "status": "200"}
    return REGISTRY.get_sample_value("http_request_seconds_count", labels) or 0.0


async def test_une_mesure_nomme_la_route_qui_a_repondu() -> None:
    before = answered("/static")
    transport = httpx.ASGITransport(create(Reglages()))
    async with httpx.AsyncClient(transport=transport, base_url="http://essai") as client:
        assert (await client.get("/static/style.css")).status_code == 200
    assert answered("/static") == before + 1
