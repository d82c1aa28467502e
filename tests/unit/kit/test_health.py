"""The pages by which a process says how it is."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI

from kit import health as kit_health
from kit.health import Health, NotReady


def client(health: Health) -> httpx.AsyncClient:
    app = FastAPI()
    app.include_router(health.router())
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://essai")


async def there() -> None:
    return None


async def away() -> None:
    raise ConnectionError("mongodb://somebody:secret@host")


async def silent() -> None:
    await asyncio.Event().wait()


async def test_ready_when_everything_answers() -> None:
    health = Health()
    health.checks = {"index": there, "groupe": there}
    health.servers = {"mongo": there}
    answer = await client(health).get("/sante/pret")
    assert answer.status_code == 200
    assert answer.json() == {
        "etat": "pret",
        "absents": {},
        "verifies": ["groupe", "index"],
        "serveurs": {"mongo": "répond"},
    }


async def test_not_ready_when_its_own_work_cannot_be_done_and_says_what_without_an_address() -> None:
    health = Health()
    health.checks = {"preparation": away, "index": there}
    answer = await client(health).get("/sante/pret")
    assert answer.status_code == 503
    assert answer.json()["absents"] == {"preparation": "ConnectionError"}
    assert "secret" not in answer.text


async def test_a_check_that_does_not_answer_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kit_health, "_CHECK_TIMEOUT_S", 0.01)
    health = Health()
    health.checks = {"index": silent, "groupe": there}
    answer = await client(health).get("/sante/pret")
    assert answer.status_code == 503
    assert answer.json()["absents"] == {"index": "TimeoutError"}


async def test_a_shared_server_that_is_away_is_told_and_withdraws_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """All processes would be withdrawn at once, with the cache that could have served."""
    monkeypatch.setattr(kit_health, "_SERVER_TIMEOUT_S", 0.01)
    health = Health()
    health.checks = {"groupe": there}
    health.servers = {"mongo": away, "kafka": silent, "redis": there}
    answer = await client(health).get("/sante/pret")
    assert answer.status_code == 200
    assert answer.json()["serveurs"] == {"kafka": "TimeoutError", "mongo": "ConnectionError", "redis": "répond"}
    assert "secret" not in answer.text


async def test_a_process_that_still_starts_adds_checks_while_others_are_waited_for() -> None:
    health = Health()

    async def opens_another() -> None:
        health.servers["mongo"] = away
        await asyncio.sleep(0)
        raise ConnectionError

    health.servers = {"redis": opens_another}
    assert await health.away() == {"redis": "ConnectionError"}


async def test_what_is_missing_is_told_in_our_own_words() -> None:
    async def part_of_it() -> None:
        raise NotReady("12 % de 10 064 profils")

    health = Health()
    health.checks = {"index": part_of_it}
    answer = await client(health).get("/sante/pret")
    assert answer.status_code == 503
    assert answer.json()["absents"] == {"index": "12 % de 10 064 profils"}


async def test_who_is_told_to_end_is_not_ready_and_alive() -> None:
    health = Health()
    health.checks = {"index": there}
    health.stopping.set()
    assert (await client(health).get("/sante/pret")).status_code == 503
    assert (await client(health).get("/sante/vivant")).status_code == 200


async def test_alive_whatever_is_away() -> None:
    health = Health()
    health.checks = {"index": away}
    health.servers = {"mongo": away}
    assert (await client(health).get("/sante/vivant")).status_code == 200


async def test_gauges_are_refreshed_when_the_metrics_are_read() -> None:
    health = Health()
    refreshed = []

    async def refresh() -> None:
        refreshed.append("once")

    health.refreshers.append(refresh)
    answer = await client(health).get("/metrics")
    assert answer.status_code == 200
    assert "consumer_events_total" in answer.text
    assert refreshed == ["once"]


async def test_metrics_say_which_check_fails() -> None:
    health = Health()
    health.checks = {"essai-absent": away, "essai-present": there}
    text = (await client(health).get("/metrics")).text
    assert 'health_check_ok{check="essai-absent"} 0.0' in text
    assert 'health_check_ok{check="essai-present"} 1.0' in text


async def test_metrics_answer_while_a_server_is_away_and_the_other_gauges_are_refreshed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kit_health, "_CHECK_TIMEOUT_S", 0.01)
    health = Health()
    refreshed = []

    async def refresh() -> None:
        refreshed.append("once")

    health.servers = {"essai-mongo": away, "essai-redis": there}
    health.refreshers = [away, silent, refresh]
    answer = await client(health).get("/metrics")
    assert answer.status_code == 200
    assert 'server_up{server="essai-mongo"} 0.0' in answer.text
    assert 'server_up{server="essai-redis"} 1.0' in answer.text
    assert refreshed == ["once"]


async def test_a_refresher_that_is_wrong_is_seen() -> None:
    health = Health()

    async def wrong() -> None:
        raise ZeroDivisionError

    health.refreshers = [wrong, there]
    with pytest.raises(ZeroDivisionError):
        await client(health).get("/metrics")


async def test_not_ready_before_all_is_prepared_nor_after_that_has_failed() -> None:
    health = Health()
    go_on = asyncio.Event()

    async def prepare() -> None:
        await go_on.wait()

    async with health.preparing(prepare()):
        assert await health.failures() == {"preparation": "en cours"}
        go_on.set()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert await health.failures() == {}

    async def fail() -> None:
        raise ZeroDivisionError

    async with health.preparing(fail()):
        await asyncio.sleep(0)
        assert await health.failures() == {"preparation": "ZeroDivisionError"}


async def test_what_is_not_prepared_yet_does_not_outlive_the_process() -> None:
    health = Health()
    ended = asyncio.Event()

    async def prepare() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with health.preparing(prepare()):
        await asyncio.sleep(0)
    assert ended.is_set()
