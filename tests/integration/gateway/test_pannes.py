"""A server or a service is away: what is honest to show is shown, what cannot be stored is refused, nothing hangs."""

import asyncio
import secrets
import socket
from typing import Any

import pytest
from aiohttp import web

from contracts import references
from contracts.annonces import EvenementAnnonce
from gateway.sessions import COOKIE
from kit.http.replicas import Replicas
from kit.ids import new_id
from kit.messaging.events import Message
from kit.messaging.producer import Producer
from tests.attente import Bientot
from tests.integration.gateway.banc import Banc, Call
from tests.serveurs import Serveurs


def _closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def reglages(request: pytest.FixtureRequest, serveurs: Serveurs) -> dict[str, Any]:
    """The parameter names what is away: redis, mongo; or asks for a freshness of 0 s: "perime"."""
    found: dict[str, Any] = {
        "mongo_url": serveurs.mongo_url,
        "redis_url": serveurs.redis_url,
        "kafka_url": serveurs.kafka_url,
        "limite_codes_par_ip_heure": 100_000,
        "limite_essais_par_ip_heure": 100_000,
        "limite_requetes_par_ip_minute": 1_000_000,
    }
    match getattr(request, "param", ""):
        case "redis":
            found["redis_url"] = f"redis://127.0.0.1:{_closed_port()}/0"
        case "mongo":
            found["mongo_url"] = f"mongodb://127.0.0.1:{_closed_port()}/?replicaSet=rs0&serverSelectionTimeoutMS=300"
        case "perime":
            found["fraicheur_s"] = 0
    return found


def _list(*titles: str) -> dict[str, Any]:
    return {
        "annonces": [_annonce(title) for title in titles],
        "total": len(titles),
        "page": 1,
        "taille": 20,
        "facettes": {"sens": {"besoin": len(titles)}},
    }


def _annonce(title: str) -> dict[str, Any]:
    return {
        "annonce_id": "a1",
        "version": 2,
        "etat": "publiee",
        "sens": "besoin",
        "nature": "logistique",
        "titre": title,
        "description": "Nous cherchons une camionnette pour la collecte de samedi.",
        "domaines": ["solidarite-et-insertion"],
        "categories": ["vehicule-transport"],
        "publics": [],
        "cession": None,
        "date_debut": "2026-12-05",
        "date_fin": None,
        "creneaux": ["samedi-matin"],
        "lieu": {"quartier": "fives", "lat": 50.63, "lon": 3.09},
        "a_distance": False,
        "certifications": ["permis-b"],
        "accessible_pmr": False,
        "ouvert_aux_mineurs": False,
        "urgent": True,
        "places": 1,
        "places_restantes": 1,
        "auteur": {"type": "association", "association_id": "s1", "nom": "Les Jardins de Fives"},
        "deposee_at": "2026-11-20T10:00:00Z",
        "publiee_at": "2026-11-20T11:00:00Z",
        "expire_at": "2026-12-05T23:00:00Z",
        "distance_m": None,
    }


def _query() -> str:
    """A list that no other test reads, nor an earlier call."""
    lists = (references.quartiers(), references.valeurs("domaines"), references.categories())
    quartier, domaine, categorie = (secrets.choice(list(codes)) for codes in lists)
    return (
        f"/v1/annonces?quartier={quartier}&domaine={domaine}&categorie={categorie}&taille={secrets.randbelow(99) + 1}"
    )


async def test_une_liste_est_fraiche_puis_montree_avec_un_avis_si_le_service_manque(banc: Banc) -> None:
    annonces, url = banc.services["annonces"], _query()
    annonces.say("GET", "/v1/annonces", _list("Une camionnette"))
    first = await banc.client.get(url)
    second = await banc.client.get(url)
    assert first.content == second.content
    assert second.headers["age"] == "0"
    assert "x-place-fraicheur" not in second.headers
    assert len(annonces.calls) == 1

    await banc.app.state.deps.reader._pages.invalidate()
    annonces.say("GET", "/v1/annonces", {"title": "non"}, 503, retry_after="5")
    stale = await banc.client.get(url)
    assert (stale.status_code, stale.content) == (200, first.content)
    assert stale.headers["x-place-fraicheur"] == "perimee"
    assert int(stale.headers["age"]) >= 0
    nothing = await banc.client.get(_query())
    assert (nothing.status_code, nothing.headers["content-type"]) == (503, "application/problem+json")
    assert int(nothing.headers["retry-after"]) > 0


@pytest.mark.parametrize("reglages", ["perime"], indirect=True)
async def test_la_page_dit_depuis_quand_elle_est_perimee(banc: Banc) -> None:
    annonces = banc.services["annonces"]
    annonces.say("GET", "/v1/annonces", _list("Une camionnette pour samedi"))
    assert "Ces informations datent du" not in (await banc.client.get("/annonces")).text
    annonces.say("GET", "/v1/annonces", {}, 503)
    shown = await banc.client.get("/annonces")
    assert shown.status_code == 200
    assert "Ces informations datent du" in shown.text
    assert "Une camionnette pour samedi" in shown.text


async def test_ce_que_lit_une_personne_connectee_ne_passe_jamais_par_le_cache(banc: Banc) -> None:
    annonces, url = banc.services["annonces"], _query()
    annonces.say("GET", "/v1/annonces", {"pour": "visiteur"})
    headers = await banc.bearer(banc.client)
    await banc.client.get(url)
    annonces.say("GET", "/v1/annonces", {"pour": "compte"})
    mine = await banc.client.get(url, headers=headers)
    assert mine.json() == {"pour": "compte"}
    assert mine.headers["cache-control"] == "private, no-store"
    assert (await banc.client.get(url)).json() == {"pour": "visiteur"}


async def test_une_recherche_libre_n_est_pas_en_cache(banc: Banc) -> None:
    banc.services["annonces"].say("GET", "/v1/annonces", {"n": 1})
    for _ in range(2):
        await banc.client.get("/v1/annonces?q=camionnette")
    assert len(banc.services["annonces"].calls) == 2


async def test_un_evenement_perime_les_pages_en_cache(banc: Banc, bientot: Bientot) -> None:
    annonces, url = banc.services["annonces"], _query()
    annonces.say("GET", "/v1/annonces", {"n": 1})
    producer = Producer(banc.settings.kafka_url)
    topic = EvenementAnnonce.topic

    async def fresh() -> bool:
        # Not even an event of ours: whatever arrives says that something changed, and no poison stops it.
        await producer.publish([Message(topic, b"a1", b"\xff poison")])
        before = len(annonces.calls)
        await banc.client.get(url)
        await asyncio.sleep(0)
        return len(annonces.calls) > before

    await banc.client.get(url)
    await bientot(fresh)
    await producer.stop()


async def test_un_service_qui_ferme_donne_503_et_rien_n_est_envoye_deux_fois(banc: Banc) -> None:
    def hang_up(_: object) -> web.Response:
        raise web.HTTPInternalServerError

    headers = await banc.bearer(banc.client)
    banc.services["annonces"].answers.insert(0, ("POST", "/v1/annonces", hang_up))
    failed = await banc.client.post("/v1/annonces", json={}, headers=headers)
    assert failed.status_code == 500
    banc.app.state.deps.services._replicas["annonces"] = Replicas([f"http://127.0.0.1:{_closed_port()}"])
    away = await banc.client.post("/v1/annonces", json={}, headers=headers)
    assert (away.status_code, away.headers["content-type"]) == (503, "application/problem+json")
    assert "retry-after" in away.headers
    assert "Rien n’a été enregistré" in away.json()["detail"]


async def test_une_reponse_qui_ne_vient_pas_ne_promet_rien(banc: Banc) -> None:
    def cut(call: Call) -> web.Response:
        assert call.transport is not None
        call.transport.abort()
        return web.Response()

    headers = await banc.bearer(banc.client)
    banc.services["annonces"].answers.insert(0, ("POST", "/v1/annonces", cut))
    unknown = await banc.client.post("/v1/annonces", json={}, headers=headers)
    assert unknown.status_code == 503
    assert "peut-être été enregistré" in unknown.json()["detail"]
    assert len(banc.services["annonces"].calls) == 1


async def test_une_affluence_attend_redis_au_lieu_de_le_dire_absent(banc: Banc) -> None:
    headers = await banc.bearer(banc.client)
    # More than twice the connections to Redis.
    answers = await asyncio.gather(*(banc.client.get("/v1/mes/annonces", headers=headers) for _ in range(150)))
    assert {answer.status_code for answer in answers} == {200}


@pytest.mark.parametrize("reglages", ["redis"], indirect=True)
async def test_sans_redis_les_pages_publiques_continuent_et_le_reste_dit_de_revenir(banc: Banc) -> None:
    banc.services["annonces"].say("GET", "/v1/annonces", _list("Une camionnette"))
    banc.services["notifications"].say("POST", "/v1/desabonnements/j1", {"fait": True})
    banc.client.cookies.set(COOKIE, "D" * 43, domain="place.test", path="/")
    for path in ("/v1/annonces", "/", "/annonces", "/accessibilite", "/v1/references"):
        assert (await banc.client.get(path)).status_code == 200, path
    assert (await banc.client.post("/desabonnement/j1")).status_code == 200
    here = {"sec-fetch-site": "same-origin"}
    refused = [
        await banc.client.get("/v1/mes/annonces"),
        await banc.client.get("/mon-compte"),
        await banc.client.post("/v1/annonces", json={}, headers=here),
        await banc.client.post("/v1/comptes/code", json={"email": "a@exemple.fr"}, headers=here),
        await banc.client.post("/v1/sessions", json={"email": "a@exemple.fr", "code": "123456"}, headers=here),
    ]
    assert [answer.status_code for answer in refused] == [503] * 5
    assert all("retry-after" in answer.headers for answer in refused)
    health = banc.app.state.health
    assert (await health.failures(), list(await health.away())) == ({}, ["redis"])


@pytest.mark.parametrize("reglages", ["mongo"], indirect=True)
async def test_sans_mongo_personne_ne_se_connecte_et_tous_lisent(banc: Banc) -> None:
    banc.services["annonces"].say("GET", "/v1/annonces", _list("Une camionnette"))
    assert (await banc.client.get("/")).status_code == 200
    refused = await banc.client.post("/v1/comptes/code", json={"email": f"{new_id()}@exemple.fr"})
    assert refused.status_code == 503
    assert "retry-after" in refused.headers


async def test_si_le_code_ne_peut_partir_qui_le_demande_le_sait(banc: Banc) -> None:
    banc.services["notifications"].say("POST", "/v1/interne/codes", {}, 503)
    refused = await banc.client.post("/v1/comptes/code", json={"email": f"{new_id()}@exemple.fr"})
    assert refused.status_code == 503
