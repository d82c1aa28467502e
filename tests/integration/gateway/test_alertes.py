"""The pages of alerts: from a search to an alert, what is online for it already, changing it."""

from typing import Any

import httpx
import pytest

from gateway.sessions import COOKIE
from tests.integration.gateway.banc import Banc
from tests.integration.gateway.test_pannes import _annonce, _list

PROFIL: dict[str, Any] = {
    "profil_id": "p1",
    "version": 3,
    "compte_id": "c1",
    "sens": "besoin",
    "natures": ["materiel"],
    "domaines": [],
    "categories": ["livres"],
    "creneaux": ["samedi-matin"],
    "certifications": [],
    "lieu": {"quartier": "wazemmes", "lat": 50.625, "lon": 3.05},
    "rayon_km": 2.5,
    "a_distance": False,
    "mineur": True,
    "pmr": False,
    "actif": True,
    "cree_at": "2026-11-01T10:00:00Z",
}
ICI = {"sec-fetch-site": "same-origin"}


@pytest.fixture
async def habitant(banc: Banc) -> httpx.AsyncClient:
    _, token = await banc.login(banc.client)
    banc.client.cookies.set(COOKIE, token, domain="place.test", path="/")
    banc.services["matching"].say("GET", "/v1/profils/p1", PROFIL)
    return banc.client


async def test_une_recherche_remplit_une_alerte(banc: Banc, habitant: httpx.AsyncClient) -> None:
    banc.services["annonces"].say("GET", "/v1/annonces", _list("Des livres"))
    recherche = "sens=besoin&nature=materiel&categorie=livres&quartier=fives&q=romans"
    liste = await habitant.get(f"/annonces?{recherche}")
    lien = "/alertes/nouvelle?q=romans&amp;sens=besoin&amp;nature=materiel&amp;categorie=livres&amp;quartier=fives"
    assert f'href="{lien}"' in liste.text
    page = await habitant.get(lien.replace("&amp;", "&"))
    assert page.status_code == 200
    for rempli in (
        'name="natures" value="materiel" checked',
        'name="categories" value="livres" checked',
        '<option value="fives" selected>',
        "ne retient ni les mots cherchés",
    ):
        assert rempli in page.text


async def test_apres_l_abonnement_la_page_dit_ce_qui_est_deja_en_ligne(banc: Banc, habitant: httpx.AsyncClient) -> None:
    banc.services["matching"].say("POST", "/v1/profils", PROFIL, 201)
    made = await habitant.post("/alertes/nouvelle", data={"sens": "besoin", "quartier": "wazemmes"}, headers=ICI)
    assert (made.status_code, made.headers["location"]) == (303, "/alertes/p1?message=alerte-creee")
    concernee, autre = _annonce("Trente romans") | {"annonce_id": "a2"}, _annonce("Une camionnette")
    banc.services["annonces"].say("GET", "/v1/annonces", _list() | {"annonces": [autre, concernee], "total": 2})
    banc.services["matching"].say("POST", "/v1/profils/p1/annonces", {"annonces": ["a2"]})
    page = await habitant.get("/alertes/p1?message=alerte-creee")
    assert 'href="/annonces/a2">Trente romans' in page.text
    assert "Une camionnette" not in page.text
    assert "ouvertes aux mineurs" in page.text
    (asked,) = banc.services["matching"].called("POST", "/v1/profils/p1/annonces")
    assert [annonce["annonce_id"] for annonce in asked.json["annonces"]] == ["a1", "a2"]
    assert all("description" not in annonce for annonce in asked.json["annonces"])


async def test_une_alerte_que_l_on_a_deja_est_montree(banc: Banc, habitant: httpx.AsyncClient) -> None:
    banc.services["matching"].say("POST", "/v1/profils", PROFIL, 200)
    made = await habitant.post("/alertes/nouvelle", data={"sens": "besoin", "quartier": "wazemmes"}, headers=ICI)
    assert made.headers["location"] == "/alertes/p1?message=alerte-connue"


async def test_sans_la_liste_l_alerte_se_montre_quand_meme(banc: Banc, habitant: httpx.AsyncClient) -> None:
    banc.services["annonces"].say("GET", "/v1/annonces", _list("Une camionnette"))
    banc.services["matching"].say("POST", "/v1/profils/p1/annonces", {"title": "Non"}, 503)
    page = await habitant.get("/alertes/p1")
    assert page.status_code == 200
    assert "momentanément indisponible" in page.text


async def test_une_alerte_se_modifie_sur_la_page(banc: Banc, habitant: httpx.AsyncClient) -> None:
    page = await habitant.get("/alertes/p1/modifier")
    for rempli in ('name="version" value="3"', '<option value="2.5" selected>2,5', 'name="mineur" value="oui" checked'):
        assert rempli in page.text
    banc.services["matching"].say("PUT", "/v1/profils/p1", PROFIL | {"version": 4})
    saisie = {"version": "3", "sens": "besoin", "quartier": "fives", "rayon_km": "5", "pmr": "oui"}
    saved = await habitant.post("/alertes/p1/modifier", data=saisie, headers=ICI)
    assert (saved.status_code, saved.headers["location"]) == (303, "/alertes/p1?message=alerte-modifiee")
    (put,) = banc.services["matching"].called("PUT", "/v1/profils/p1")
    assert put.headers["if-match"] == '"3"'
    assert put.json.items() >= {"quartier": "fives", "rayon_km": 5, "pmr": True, "mineur": False}.items()


async def test_une_alerte_changee_entre_temps_se_dit(banc: Banc, habitant: httpx.AsyncClient) -> None:
    banc.services["matching"].say("PUT", "/v1/profils/p1", {"title": "Changé", "detail": "Changé"}, 412)
    saved = await habitant.post("/alertes/p1/modifier", data={"version": "2", "sens": "besoin"}, headers=ICI)
    assert saved.status_code == 409
    assert "a changé entre-temps" in saved.text
    assert 'name="version" value="3"' in saved.text


async def test_une_alerte_arretee_ne_se_modifie_plus(banc: Banc, habitant: httpx.AsyncClient) -> None:
    banc.services["matching"].say("GET", "/v1/profils/p1", PROFIL | {"actif": False})
    assert (await habitant.get("/alertes/p1")).status_code == 404
    assert (await habitant.post("/alertes/p1/modifier", data={"sens": "besoin"}, headers=ICI)).status_code == 404
