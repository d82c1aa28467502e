"""The pages by which a process says how it is."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI

from kit.http import health as kit_health
from kit.http.health import Health, NotReady


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


async def test_un_processus_est_pret_quand_tout_repond() -> None:
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


async def test_un_processus_empeche_n_est_pas_pret_et_dit_pourquoi_sans_adresse() -> None:
    health = Health()
    health.checks = {"preparation": away, "index": there}
    answer = await client(health).get("/sante/pret")
    assert answer.status_code == 503
    assert answer.json()["absents"] == {"preparation": "ConnectionError"}
    assert "secret" not in answer.text


async def test_un_controle_qui_ne_repond_pas_a_echoue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kit_health, "_CHECK_TIMEOUT_S", 0.01)
    health = Health()
    health.checks = {"index": silent, "groupe": there}
    answer = await client(health).get("/sante/pret")
    assert answer.status_code == 503
    assert answer.json()["absents"] == {"index": "TimeoutError"}


async def test_un_serveur_partage_absent_est_dit_et_ne_retire_personne(monkeypatch: pytest.MonkeyPatch) -> None:
    """All processes would be withdrawn at once, with the cache that could have served."""
    monkeypatch.setattr(kit_health, "_SERVER_TIMEOUT_S", 0.01)
    health = Health()
    health.checks = {"groupe": there}
    health.servers = {"mongo": away, "kafka": silent, "redis": there}
    answer = await client(health).get("/sante/pret")
    assert answer.status_code == 200
    assert answer.json()["serveurs"] == {"kafka": "TimeoutError", "mongo": "ConnectionError", "redis": "répond"}
    assert "secret" not in answer.text


async def test_un_processus_qui_demarre_ajoute_des_controles_pendant_qu_on_attend_les_autres() -> None:
    health = Health()

    async def opens_another() -> None:
        health.servers["mongo"] = away
        await asyncio.sleep(0)
        raise ConnectionError

    health.servers = {"redis": opens_another}
    assert await health.away() == {"redis": "ConnectionError"}


async def test_ce_qui_manque_est_dit_avec_nos_mots() -> None:
    async def part_of_it() -> None:
        raise NotReady("12 % de 10 064 profils")

    health = Health()
    health.checks = {"index": part_of_it}
    answer = await client(health).get("/sante/pret")
    assert answer.status_code == 503
    assert answer.json()["absents"] == {"index": "12 % de 10 064 profils"}


async def test_qui_doit_finir_n_est_plus_pret_mais_vivant() -> None:
    health = Health()
    health.checks = {"index": there}
    health.stopping.set()
    assert (await client(health).get("/sante/pret")).status_code == 503
    assert (await client(health).get("/sante/vivant")).status_code == 200


async def test_un_processus_est_vivant_quoi_qu_il_manque() -> None:
    health = Health()
    health.checks = {"index": away}
    health.servers = {"mongo": away}
    assert (await client(health).get("/sante/vivant")).status_code == 200


async def test_les_jauges_sont_rafraichies_a_la_lecture_des_mesures() -> None:
    health = Health()
    refreshed = []

    async def refresh() -> None:
        refreshed.append("once")

    health.refreshers.append(refresh)
    answer = await client(health).get("/metrics")
    assert answer.status_code == 200
    assert "consumer_events_total" in answer.text
    assert refreshed == ["once"]


async def test_les_mesures_disent_quel_controle_echoue() -> None:
    health = Health()
    health.checks = {"essai-absent": away, "essai-present": there}
    text = (await client(health).get("/metrics")).text
    assert 'health_check_ok{check="essai-absent"} 0.0' in text
    assert 'health_check_ok{check="essai-present"} 1.0' in text


async def test_les_mesures_repondent_sans_un_serveur_et_rafraichissent_les_autres_jauges(
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


async def test_une_jauge_mal_ecrite_se_voit() -> None:
    health = Health()

    async def wrong() -> None:
        raise ZeroDivisionError

    health.refreshers = [wrong, there]
    with pytest.raises(ZeroDivisionError):
        await client(health).get("/metrics")


async def test_un_processus_n_est_pas_pret_avant_sa_preparation_ni_si_elle_a_echoue() -> None:
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


async def test_ce_qui_n_est_pas_prepare_ne_survit_pas_au_processus() -> None:
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
