"""The search on real Mongo: French words, geography, facets, order, pages."""

from typing import Any

import pytest

from contracts.moderation import TypeCible
from kit.ids import new_id
from tests.integration.annonces.banc import Banc, corps_offre, decision


async def _chercher(banc: Banc, **parametres: Any) -> Any:
    reponse = await banc.appeler("GET", "/v1/annonces", params=parametres)
    assert reponse.status_code == 200, reponse.text
    return reponse.json()


@pytest.fixture(scope="module")
async def mot(banc: Banc) -> str:
    """A word that only the three annonces of this file have: near (fives), far (lomme), urgent and near."""
    mot = f"zq{new_id()[:10]}"
    association_id = (await banc.association("s1"))["association_id"]
    await banc.publiee("s1", association_id, titre=f"Des chevaux pour {mot}", quartier="fives")
    await banc.publiee("s1", association_id, titre=f"Une salle {mot}", quartier="lomme", categories=["local-salle"])
    await banc.publiee("s1", association_id, titre=f"Du stockage {mot}", quartier="hellemmes", urgent=True, places=3)
    await banc.publiee("s1", association_id, titre="Tout autre chose", description=f"On y parle aussi de {mot} un peu.")
    return mot


async def test_la_recherche_trouve_par_mots_et_compte_ses_facettes(banc: Banc, mot: str) -> None:
    found = await _chercher(banc, q=mot)
    assert found["total"] == 4
    # A title weighs more than a description.
    assert found["annonces"][-1]["titre"] == "Tout autre chose"
    assert found["facettes"]["quartier"] == {"fives": 2, "hellemmes": 1, "lomme": 1}
    assert found["facettes"]["categorie"] == {"vehicule-transport": 3, "local-salle": 1}
    assert found["facettes"]["sens"] == {"besoin": 4}
    assert all("compte_id" not in annonce["auteur"] for annonce in found["annonces"])
    assert all("alertes" not in annonce for annonce in found["annonces"])


async def test_la_recherche_connait_les_racines_et_les_accents_du_francais(banc: Banc, mot: str) -> None:
    association_id = (await banc.association("s3"))["association_id"]
    verbe = f"zq{new_id()[:8]}".translate(str.maketrans("0123456789", "ghijklmnop"))
    await banc.publiee("s3", association_id, titre=f"Des {verbe}elles éclairées")
    for cherche in (f"{verbe}elle", f"{verbe}ELLES"):
        assert (await _chercher(banc, q=cherche))["total"] == 1
    assert (await _chercher(banc, q=f'{verbe}elle "eclairees"'))["total"] == 1


async def test_filters(banc: Banc, mot: str) -> None:
    assert (await _chercher(banc, q=mot, categorie="local-salle"))["total"] == 1
    assert (await _chercher(banc, q=mot, urgent="true"))["total"] == 1
    assert (await _chercher(banc, q=mot, quartier="fives", sens="", nature=""))["total"] == 2
    assert (await _chercher(banc, q=mot, sens="offre"))["total"] == 0


async def test_la_recherche_trie_par_distance_et_s_arrete_au_rayon(banc: Banc, mot: str) -> None:
    ici = {"lat": 50.6325, "lon": 3.089}
    found = await _chercher(banc, q=mot, tri="distance", **ici)
    distances = [annonce["distance_m"] for annonce in found["annonces"]]
    assert distances == sorted(distances)
    assert distances[0] == 0
    assert 4000 < distances[-1] < 9000
    assert (await _chercher(banc, q=mot, rayon_km=1, **ici))["total"] == 2


async def test_les_pages_ne_se_recouvrent_pas(banc: Banc, mot: str) -> None:
    pages = [await _chercher(banc, q=mot, taille=2, page=page, tri="recent") for page in (1, 2, 3)]
    assert [len(page["annonces"]) for page in pages] == [2, 2, 0]
    assert len({annonce["annonce_id"] for page in pages for annonce in page["annonces"]}) == 4
    assert pages[2]["total"] == 4


@pytest.mark.parametrize(
    ("champ", "parametres"),
    [
        ("inconnu", {"inconnu": "1"}),
        ("sens", {"sens": "autre"}),
        ("lon", {"lat": "50"}),
        ("rayon_km", {"rayon_km": "5"}),
        ("tri", {"tri": "distance"}),
        ("tri", {"tri": "pertinence"}),
        ("page", {"page": "0"}),
        ("taille", {"taille": "101"}),
        ("lat", {"lat": "nan", "lon": "3"}),
        ("taille", {"page": "900", "taille": "100"}),
        ("taille", {"page": "900000"}),
        ("q", {"q": "a\u0000b"}),
    ],
)
async def test_les_mauvais_parametres_sont_refuses(banc: Banc, champ: str, parametres: dict[str, str]) -> None:
    reponse = await banc.appeler("GET", "/v1/annonces", params=parametres)
    assert reponse.status_code == 422
    assert reponse.headers["content-type"] == "application/problem+json"
    assert [erreur["champ"] for erreur in reponse.json()["erreurs"]] == [champ]


async def test_le_lieu_d_un_habitant_est_flou(banc: Banc) -> None:
    deposee = await banc.appeler("POST", "/v1/annonces", "s2", json=corps_offre())
    annonce_id = deposee.json()["annonce_id"]
    exact = {nom: valeur for nom, valeur in corps_offre(lat=50.63499, lon=3.08501).items() if nom != "auteur"}
    entetes = {"If-Match": deposee.headers["etag"]}
    corrigee = await banc.appeler("PUT", f"/v1/annonces/{annonce_id}", "s2", json=exact, headers=entetes)
    assert corrigee.status_code == 200, corrigee.text
    await banc.traiter(decision(TypeCible.ANNONCE, annonce_id, 2))
    vue = await banc.lire(annonce_id)
    public = {"quartier": None, "lat": 50.63, "lon": 3.09}
    assert vue["lieu"] == public
    assert vue["auteur"] == {"type": "particulier", "association_id": None, "nom": None}
    assert (await banc.lire(annonce_id, "s2"))["lieu"] == public
    await banc.entendu("AnnoncePubliee", annonce_id)
    annonces = [e.annonce for e in banc.evenements if hasattr(e, "annonce")]
    dits = [(a.lieu.lat, a.lieu.lon) for a in annonces if a.annonce_id == annonce_id]
    assert dits == [(50.63, 3.09)] * 3
    stockee = await banc.app.state.deps.store.annonce(annonce_id)
    assert stockee["position"]["coordinates"] == [3.09, 50.63]


async def test_la_description_de_l_api_est_complete(banc: Banc) -> None:
    document = (await banc.client.get("/v1/openapi.json")).json()
    assert {
        "/v1/annonces",
        "/v1/annonces/{annonce_id}",
        "/v1/annonces/{annonce_id}/reponses",
        "/v1/mes/reponses",
        "/v1/associations",
    } <= set(document["paths"])
    assert await banc.app.state.health.failures() == {}
