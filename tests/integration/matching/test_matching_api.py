"""The API of profils on a real database."""

import asyncio
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from contracts.annonces import Annonce
from kit.database.mongo import connect
from services.matching import api as matching_api
from services.matching.settings import Reglages

SYSTEME = frozenset({"systeme"})


def souhaits(**changes: Any) -> dict[str, Any]:
    return {"sens": "besoin", "quartier": "wazemmes", "rayon_km": 5, "categories": ["livres"], **changes}


@pytest.fixture
def compte() -> str:
    return uuid.uuid4().hex


async def test_un_profil_nait_change_et_s_arrete(api: Any, compte: str) -> None:
    created = await api("POST", "/v1/profils", compte, json=souhaits())
    assert created.status_code == 201
    assert created.headers["etag"] == '"1"'
    path = created.headers["location"]
    assert created.json()["lieu"]["quartier"] == "wazemmes"

    changed = await api("PUT", path, compte, json=souhaits(rayon_km=9), headers={"If-Match": '"1"'})
    assert (changed.status_code, changed.json()["version"], changed.json()["rayon_km"]) == (200, 2, 9)
    stale = await api("PUT", path, compte, json=souhaits(), headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    assert stale.headers["content-type"] == "application/problem+json"
    assert stale.headers["etag"] == '"2"'
    assert (await api("PUT", path, compte, json=souhaits())).status_code == 428

    assert [profil["version"] for profil in (await api("GET", "/v1/profils", compte)).json()["profils"]] == [2]
    assert (await api("DELETE", path, compte)).status_code == 204
    stopped = await api("GET", path, compte)
    assert (stopped.json()["actif"], stopped.json()["version"]) == (False, 3)
    assert (await api("POST", f"{path}/desactiver", compte)).json()["version"] == 3


async def test_another_account_sees_nothing(api: Any, compte: str) -> None:
    path = (await api("POST", "/v1/profils", compte, json=souhaits())).headers["location"]
    for method, body in (("GET", None), ("PUT", souhaits()), ("DELETE", None)):
        answer = await api(method, path, "somebody-else", json=body, headers={"If-Match": '"1"'})
        assert answer.status_code == 404
    assert (await api("GET", path, compte)).json()["version"] == 1


async def test_un_visiteur_est_invite_a_se_connecter(api: Any) -> None:
    assert (await api("GET", "/v1/profils")).status_code == 401


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"categories": ["inconnue"]}, "categories"),
        ({"quartier": "paris"}, "quartier"),
        ({"rayon_km": 65}, "rayon_km"),
        ({"lat": 50.6}, "corps"),
        ({"quartier": None}, "corps"),
        ({"sens": "ailleurs"}, "sens"),
        ({"de_trop": 1}, "de_trop"),
    ],
)
async def test_chaque_refus_nomme_son_champ_et_n_ecrit_rien(
    api: Any, compte: str, changes: dict[str, Any], field: str
) -> None:
    answer = await api("POST", "/v1/profils", compte, json=souhaits(**changes))
    assert answer.status_code == 422
    assert field in [error["champ"] for error in answer.json()["erreurs"]]
    assert (await api("GET", "/v1/profils", compte)).json()["profils"] == []


async def test_l_import_est_pour_le_systeme_et_peut_se_repeter(api: Any, compte: str) -> None:
    rows = [souhaits(compte_id=compte, profil_id=uuid.uuid4().hex) for _ in range(20)]
    assert (await api("POST", "/v1/interne/profils", compte, json=rows)).status_code == 403
    first = await api("POST", "/v1/interne/profils", "", SYSTEME, json=rows)
    again = await api("POST", "/v1/interne/profils", "", SYSTEME, json=rows)
    assert first.json() == {"crees": 20, "deja_presents": 0}
    assert again.json() == {"crees": 0, "deja_presents": 20}


async def test_un_compte_a_une_limite_de_profils(api: Any, compte: str) -> None:
    rows = [souhaits(compte_id=compte) for _ in range(20)]
    await api("POST", "/v1/interne/profils", "", SYSTEME, json=rows)
    answer = await api("POST", "/v1/profils", compte, json=souhaits(rayon_km=9))
    assert answer.status_code == 409


async def test_ceux_qu_une_annonce_concerne_sont_trouves_page_par_page(
    api: Any, lieu: dict[str, float], annonce: Callable[..., Annonce], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The test shares its database: pages hold profils of other tests too.
    monkeypatch.setattr(matching_api, "CONCERNES_PAGE", 50)
    ailleurs = {"lat": lieu["lat"] - 20, "lon": lieu["lon"]}
    ici, la_bas = ({"sens": "besoin", **ou, "rayon_km": 5} for ou in (lieu, ailleurs))
    profils = [{**souhaits, "compte_id": uuid.uuid4().hex, "profil_id": uuid.uuid4().hex} for souhaits in (ici,) * 3]
    loin = {**la_bas, "compte_id": uuid.uuid4().hex, "profil_id": uuid.uuid4().hex}
    crees = await api("POST", "/v1/interne/profils", roles=SYSTEME, json=[*profils, loin])
    assert crees.status_code == 201, crees.text

    demande: dict[str, Any] = {"annonce": annonce().model_dump(mode="json"), "apres": None}
    trouves: list[dict[str, str]] = []
    while True:
        page = await api("POST", "/v1/interne/concernes", roles=SYSTEME, json=demande)
        assert page.status_code == 200, page.text
        trouves += page.json()["concernes"]
        if (suite := page.json()["suite"]) is None:
            break
        demande["apres"] = suite
    attendus = [{"profil_id": p["profil_id"], "compte_id": p["compte_id"]} for p in profils]
    assert sorted(trouves, key=str) == sorted(attendus, key=str)


async def test_seul_le_systeme_demande_qui_une_annonce_concerne(
    api: Any, compte: str, annonce: Callable[..., Annonce]
) -> None:
    demande = {"annonce": annonce().model_dump(mode="json")}
    assert (await api("POST", "/v1/interne/concernes", compte, json=demande)).status_code == 403


async def profils(api: Any, compte: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await api("GET", "/v1/profils", compte)).json()["profils"]
    return found


async def test_le_meme_profil_ne_s_enregistre_pas_deux_fois(api: Any, compte: str) -> None:
    first = await api("POST", "/v1/profils", compte, json=souhaits(categories=["livres", "mobilier"]))
    again = await api("POST", "/v1/profils", compte, json=souhaits(categories=["mobilier", "livres"]))
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert again.headers["location"] == first.headers["location"]
    assert (await api("POST", "/v1/profils", compte, json=souhaits(pmr=True))).status_code == 201
    assert (await api("POST", "/v1/profils", uuid.uuid4().hex, json=souhaits())).status_code == 201
    assert len(await profils(api, compte)) == 2


async def test_un_double_clic_enregistre_un_profil(api: Any, compte: str) -> None:
    answers = await asyncio.gather(*(api("POST", "/v1/profils", compte, json=souhaits()) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200] * 4 + [201]
    assert len({answer.json()["profil_id"] for answer in answers}) == len(await profils(api, compte)) == 1


async def test_apres_la_perte_de_la_base_un_nouveau_profil_n_a_pas_le_nom_d_un_ancien(
    api: Any, compte: str, reglages: Reglages
) -> None:
    """The index still knows the old one, and ignored what came under its name."""
    first = await api("POST", "/v1/profils", compte, json=souhaits())
    mongo = connect(reglages.mongo_url, "matching")
    await mongo.db.profils.delete_many({"compte_id": compte})
    mongo.close()
    second = await api("POST", "/v1/profils", compte, json=souhaits(rayon_km=9))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["profil_id"] != second.json()["profil_id"]


async def test_deux_profils_differents_demandes_ensemble_sont_enregistres(api: Any, compte: str) -> None:
    answers = await asyncio.gather(
        *(api("POST", "/v1/profils", compte, json=souhaits(rayon_km=km)) for km in (1, 2, 3))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len(await profils(api, compte)) == 3


async def test_un_profil_arrete_peut_etre_demande_de_nouveau(api: Any, compte: str) -> None:
    first = await api("POST", "/v1/profils", compte, json=souhaits())
    await api("DELETE", first.headers["location"], compte)
    again = await api("POST", "/v1/profils", compte, json=souhaits())
    assert again.status_code == 201
    assert [profil["actif"] for profil in await profils(api, compte)] == [False, True]


async def test_un_profil_ne_devient_pas_un_autre_que_l_on_a_deja(api: Any, compte: str) -> None:
    await api("POST", "/v1/profils", compte, json=souhaits())
    other = (await api("POST", "/v1/profils", compte, json=souhaits(rayon_km=9))).headers["location"]
    refused = await api("PUT", other, compte, json=souhaits(), headers={"If-Match": '"1"'})
    assert refused.status_code == 409
    assert "déjà une alerte" in refused.json()["detail"]
    same = await api("PUT", other, compte, json=souhaits(rayon_km=9), headers={"If-Match": '"1"'})
    assert same.status_code == 200


async def test_parmi_des_annonces_celles_d_un_profil_les_meilleures_d_abord(
    api: Any, compte: str, annonce: Any
) -> None:
    wanted = souhaits(quartier="wazemmes", categories=[], creneaux=["samedi-matin"])
    path = (await api("POST", "/v1/profils", compte, json=wanted)).headers["location"]
    lieu = {"lieu": {"quartier": "wazemmes", "lat": 50.625, "lon": 3.05}}
    vue = annonce().model_dump(mode="json", exclude={"auteur", "version"}) | lieu
    asked = [
        vue | {"annonce_id": "vague", "creneaux": []},
        vue | {"annonce_id": "mardi", "creneaux": ["mardi-matin"]},
        vue | {"annonce_id": "exacte"},
    ]
    answer = await api("POST", f"{path}/annonces", compte, json={"annonces": asked})
    assert answer.json() == {"annonces": ["exacte", "vague"]}
    assert (await api("POST", f"{path}/annonces", "somebody-else", json={"annonces": asked})).status_code == 404
    assert (await api("POST", f"{path}/annonces", compte, json={"annonces": asked * 40})).status_code == 422
