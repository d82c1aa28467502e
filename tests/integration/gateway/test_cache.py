"""The cache of public pages: as many entries as there are answers, counted, apart from sessions."""

import random

import pytest
from redis.asyncio import Redis

from gateway.cache import _INDEX
from kit.ids import new_id
from tests.integration.gateway.banc import Banc
from tests.unit.gateway.test_lectures import epeler


def redis(banc: Banc) -> Redis:
    found: Redis = banc.app.state.deps.reader._pages._memory._redis
    return found


async def test_dix_mille_ecritures_d_une_recherche_sont_une_entree_et_les_sessions_restent(banc: Banc) -> None:
    annonces, chance = banc.services["annonces"], random.Random(new_id())
    annonces.say("GET", "/v1/annonces", {"annonces": [], "n": "x" * 50_000})
    headers = await banc.bearer(banc.client)
    chosen = {"sens": "offre", "page": "2", "taille": str(chance.randint(1, 19))}
    await banc.client.get(f"/v1/annonces?{epeler(chosen, chance)}")
    before = await redis(banc).zcard(_INDEX)
    for _ in range(10_000):
        page = await banc.app.state.deps.reader.get("annonces", "/v1/annonces", epeler(chosen, chance))
        assert page.answer.status == 200
    assert await redis(banc).zcard(_INDEX) <= before
    assert len(annonces.calls) < 10
    assert (await banc.client.get("/v1/compte", headers=headers)).status_code == 200


@pytest.mark.parametrize("reglages", [{"pages_gardees": 20}], indirect=True)
async def test_les_plus_anciennes_cedent_la_place(banc: Banc) -> None:
    annonces = banc.services["annonces"]
    ids = [new_id() for _ in range(30)]
    for annonce_id in ids:
        annonces.say("GET", f"/v1/annonces/{annonce_id}", {"annonce_id": annonce_id})
        assert (await banc.client.get(f"/v1/annonces/{annonce_id}")).status_code == 200
    assert await redis(banc).zcard(_INDEX) == 20
    before = len(annonces.calls)
    await banc.client.get(f"/v1/annonces/{ids[-1]}")
    assert len(annonces.calls) == before
    await banc.client.get(f"/v1/annonces/{ids[0]}")
    assert len(annonces.calls) == before + 1


async def test_un_lien_partage_s_ouvre_sur_le_site_et_par_l_api(banc: Banc) -> None:
    annonces = banc.services["annonces"]
    annonces.say("GET", "/v1/annonces", {"annonces": [], "total": 0, "facettes": {}})
    shared = "utm_source=lettre&utm_medium=mail&fbclid=IwAR0&sens=besoin&quartier="
    headers = await banc.bearer(banc.client)
    for path in ("/annonces", "/v1/annonces", "/"):
        for who in ({}, headers):
            assert (await banc.client.get(f"{path}?{shared}", headers=who)).status_code == 200
    assert all("utm" not in call.query and "fbclid" not in call.query for call in annonces.calls)


async def test_une_adresse_accentuee_arrive_entiere_au_service(banc: Banc) -> None:
    annonces = banc.services["annonces"]
    annonces.say("GET", "/v1/annonces/%C3%B5", {"title": "Introuvable", "detail": "Non"}, 404)
    answer = await banc.client.get("/v1/annonces/%C3%B5")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/json; charset=utf-8")
