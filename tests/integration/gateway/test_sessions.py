"""A session says whose it is and since when; what the account may do is looked up, and ends with the account."""

import datetime as dt

import pytest

from contracts.comptes import EvenementCompte
from gateway.__main__ import main
from gateway.rights import CLE_DROITS
from gateway.sessions import COOKIE, _key
from kit.http.problems import Problem
from kit.ids import new_id
from kit.messaging.events import Message
from kit.messaging.producer import Producer
from tests.attente import Bientot
from tests.integration.gateway.banc import Banc

JOUR = dt.timedelta(days=1)
HEURE = dt.timedelta(hours=1)


def adresse() -> str:
    return f"{new_id()}@exemple.fr"


async def statut(banc: Banc, headers: dict[str, str], path: str = "/v1/compte") -> int:
    return (await banc.client.get(path, headers=headers)).status_code


async def moderateur(banc: Banc) -> tuple[str, dict[str, str]]:
    email = adresse()
    await banc.app.state.deps.gestion.nommer_moderateur(email)
    return email, await banc.bearer(banc.client, email)


async def test_un_compte_efface_ferme_toutes_ses_sessions_et_la_suite_est_un_autre_compte(banc: Banc) -> None:
    email = adresse()
    first = await banc.bearer(banc.client, email)
    second = await banc.bearer(banc.client, email)
    before = (await banc.client.get("/v1/compte", headers=first)).json()["compte_id"]
    assert (await banc.client.delete("/v1/compte", headers=first)).status_code == 204
    for headers in (first, second):
        assert await statut(banc, headers) == 401
        assert await statut(banc, headers, "/v1/mes/annonces") == 401
    after, _ = await banc.login(banc.client, email)
    assert after != before


async def test_un_moderateur_efface_ne_modere_plus_meme_si_redis_a_tout_oublie_du_compte(banc: Banc) -> None:
    _, headers = await moderateur(banc)
    assert await statut(banc, headers, "/v1/moderation/dossiers") == 200
    mine = (await banc.client.get("/v1/compte", headers=headers)).json()["compte_id"]
    redis = banc.app.state.deps.sessions._memory._redis
    kept = await redis.get(_key(headers["authorization"].removeprefix("Bearer ")))
    assert (await banc.client.delete("/v1/compte", headers=headers)).status_code == 204
    for key in [key async for key in redis.scan_iter(f"*{mine}*", count=1000)]:
        await redis.delete(key)
    assert kept == await redis.get(_key(headers["authorization"].removeprefix("Bearer ")))
    assert await statut(banc, headers, "/v1/moderation/dossiers") == 401
    page = await banc.client.get("/moderation/", headers=headers)
    assert (page.status_code, page.headers["location"]) == (303, "/connexion?retour=/moderation/")


async def test_une_session_ne_porte_pas_de_role(banc: Banc) -> None:
    _, headers = await moderateur(banc)
    redis = banc.app.state.deps.sessions._memory._redis
    assert b"moderateur" not in await redis.get(_key(headers["authorization"].removeprefix("Bearer ")))


async def test_un_role_donne_puis_retire_vaut_aussitot_pour_la_session_en_cours(banc: Banc) -> None:
    email = adresse()
    headers = await banc.bearer(banc.client, email)
    gestion = banc.app.state.deps.gestion
    assert await statut(banc, headers, "/v1/moderation/dossiers") == 403
    named = await gestion.nommer_moderateur(email)
    assert await statut(banc, headers, "/v1/moderation/dossiers") == 200
    mine = (await banc.client.get("/v1/compte", headers=headers)).json()
    assert (mine["compte_id"], mine["roles"]) == (named.compte_id, ["moderateur"])
    for _ in range(2):
        await gestion.retirer_moderateur(email)
        assert await statut(banc, headers, "/v1/moderation/dossiers") == 403
    assert (await banc.client.get("/v1/compte", headers=headers)).json()["roles"] == []


async def test_retirer_le_role_d_une_adresse_inconnue_le_dit(banc: Banc) -> None:
    with pytest.raises(Problem, match="Le compte de cette adresse n’existe pas"):
        await banc.app.state.deps.gestion.retirer_moderateur(adresse())


def test_la_commande_retire_le_role(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[tuple[str, bool]] = []

    async def moderateur(_: object, adresse: str, *, retirer: bool) -> str:
        asked.append((adresse, retirer))
        return "fait"

    monkeypatch.setattr("gateway.__main__.moderateur", moderateur)
    main(["moderateur", "a@exemple.fr"])
    main(["moderateur", "--retirer", "a@exemple.fr"])
    assert asked == [("a@exemple.fr", False), ("a@exemple.fr", True)]
    assert capsys.readouterr().out == "fait\nfait\n"


async def test_un_evenement_fait_relire_les_droits_qui_sont_gardes(banc: Banc, bientot: Bientot) -> None:
    _, headers = await moderateur(banc)
    mine = (await banc.client.get("/v1/compte", headers=headers)).json()["compte_id"]
    deps = banc.app.state.deps
    redis, producer = deps.sessions._memory._redis, Producer(banc.settings.kafka_url)

    async def relus() -> bool:
        await redis.set(CLE_DROITS + mine, b"[]")
        await producer.publish([Message(EvenementCompte.topic, mine.encode(), b"\xff illisible")])
        return await statut(banc, headers, "/v1/moderation/dossiers") == 200

    await bientot(relus)
    await producer.stop()


async def test_ce_qui_est_garde_des_droits_finit_en_dix_secondes(banc: Banc) -> None:
    _, headers = await moderateur(banc)
    mine = (await banc.client.get("/v1/compte", headers=headers)).json()["compte_id"]
    redis = banc.app.state.deps.sessions._memory._redis
    assert 0 < await redis.ttl(CLE_DROITS + mine) <= 10
    await redis.delete(CLE_DROITS + mine)
    assert await statut(banc, headers) == 200
    assert 0 < await redis.ttl(CLE_DROITS + mine) <= 10


async def test_une_session_finit_trente_jours_apres_la_connexion_meme_si_elle_sert(banc: Banc) -> None:
    headers = await banc.bearer(banc.client)
    redis = banc.app.state.deps.sessions._memory._redis
    key = _key(headers["authorization"].removeprefix("Bearer "))
    banc.later(29 * JOUR)
    assert await statut(banc, headers) == 200
    assert await redis.ttl(key) <= 30 * 24 * 3600
    banc.later(JOUR)
    assert await statut(banc, headers) == 401


async def test_une_session_de_moderateur_finit_en_douze_heures(banc: Banc) -> None:
    _, headers = await moderateur(banc)
    token = headers["authorization"].removeprefix("Bearer ")
    redis = banc.app.state.deps.sessions._memory._redis
    assert 0 < await redis.ttl(_key(token)) <= 12 * 3600
    banc.later(11 * HEURE)
    assert await statut(banc, headers, "/v1/moderation/dossiers") == 200
    banc.later(HEURE)
    assert await statut(banc, headers, "/v1/moderation/dossiers") == 401


async def test_le_role_recu_apres_la_connexion_abrege_la_session(banc: Banc) -> None:
    email = adresse()
    headers = await banc.bearer(banc.client, email)
    banc.later(13 * HEURE)
    assert await statut(banc, headers) == 200
    await banc.app.state.deps.gestion.nommer_moderateur(email)
    assert await statut(banc, headers) == 401


async def test_une_page_ne_prolonge_pas_le_cookie(banc: Banc) -> None:
    banc.services["annonces"].say("GET", "/v1/annonces", {"annonces": [], "total": 0, "facettes": {}})
    async with banc.visitor() as browser:
        _, token = await banc.login(browser)
        browser.cookies.set(COOKIE, token, domain="place.test", path="/")
        assert "set-cookie" not in (await browser.get("/")).headers
        left = await browser.post("/deconnexion", headers={"sec-fetch-site": "same-origin"})
        assert left.headers["location"] == "/?message=deconnecte"
        assert "max-age=0" in left.headers["set-cookie"].lower()
        assert (await browser.get("/v1/mes/annonces", headers={"authorization": f"Bearer {token}"})).status_code == 401


@pytest.mark.parametrize(("roles", "expected"), [("[]", 200), ('["moderateur"]', 401)])
async def test_une_session_d_avant_cette_version_reste_sauf_celle_d_un_moderateur(
    banc: Banc, roles: str, expected: int
) -> None:
    """Its value holds roles, which count for nothing, and no date."""
    email = adresse()
    if roles != "[]":
        await banc.app.state.deps.gestion.nommer_moderateur(email)
    compte_id, _ = await banc.login(banc.client, email)
    token = f"ancien-jeton-{new_id()}"
    redis = banc.app.state.deps.sessions._memory._redis
    await redis.set(_key(token), f'{{"compte_id":"{compte_id}","roles":{roles}}}', ex=3600)
    assert await statut(banc, {"authorization": f"Bearer {token}"}) == expected
