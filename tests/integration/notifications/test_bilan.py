"""The ledger answers what became of the alerts of some annonces, by pages, to the system alone."""

import datetime as dt
from typing import Any

import pytest

from contracts.envois import id_alerte
from contracts.notifications import Canal
from kit.ids import new_id
from services.notifications import api
from services.notifications.registre.ids import alertes_de
from tests.integration.notifications.conftest import Poste
from tests.integration.notifications.faits import annonce, correspondances, destinataire


async def lire(poste: Poste, annonce_ids: list[str], apres: str | None = None) -> dict[str, Any]:
    corps = {"annonce_ids": annonce_ids, **({"apres": apres} if apres else {})}
    reponse = await poste.api.post("/v1/interne/bilan", json=corps, headers=poste.systeme())
    assert reponse.status_code == 200, reponse.text
    found: dict[str, Any] = reponse.json()
    return found


async def test_chaque_alerte_est_nommee_avec_son_etat_et_sa_raison(poste: Poste) -> None:
    compte_id, _ = await poste.inscrire()
    muet, _ = await poste.inscrire(accord=False)
    de, qui, sans = annonce(), destinataire(compte_id), destinataire(muet)
    await poste.publier(correspondances(de, qui, sans))
    await poste.dans_l_etat("remis", compte_id=compte_id)
    await poste.dans_l_etat("sans_consentement", compte_id=muet)

    found = await lire(poste, [de.annonce_id, new_id()])
    assert found["suite"] is None
    parts = {groupe["etat"]: groupe for groupe in found["groupes"]}
    assert set(parts) == {"remis", "sans_consentement"}
    ids = {d.profil_id: id_alerte(de.annonce_id, de.version, d.profil_id, Canal.EMAIL) for d in (qui, sans)}
    assert parts["remis"]["envois"] == [ids[qui.profil_id]]
    assert parts["sans_consentement"]["envois"] == [ids[sans.profil_id]]
    assert parts["sans_consentement"]["motif"] == "consentement_absent"
    for groupe in parts.values():
        assert (groupe["annonce_id"], groupe["version"], groupe["nombre"]) == (de.annonce_id, de.version, 1)
        assert groupe["en_route"] is False
        assert abs(dt.datetime.fromisoformat(groupe["dernier_at"]) - dt.datetime.now(dt.UTC)) < dt.timedelta(hours=1)


async def test_les_pages_nomment_chaque_ligne_une_fois(poste: Poste, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "_PAGE_BILAN", 7)
    annonce_ids = [new_id() for _ in range(3)]
    rows = [
        {
            "_id": id_alerte(annonce_id, 2, new_id(), Canal.EMAIL),
            "genre": "alerte",
            "canal": "email",
            "compte_id": "",
            "contenu_id": "essai",
            "annonce_id": annonce_id,
            "version": 2,
            "etat": "remis",
            "tentatives": 1,
            "cree_at": dt.datetime.now(dt.UTC),
        }
        for annonce_id in annonce_ids
        for _ in range(10)
    ]
    await poste.db.envois.insert_many(rows)
    seen: list[str] = []
    apres, pages = None, 0
    while True:
        page = await lire(poste, annonce_ids, apres)
        seen += [id_ for groupe in page["groupes"] for id_ in groupe["envois"]]
        pages += 1
        if (apres := page["suite"]) is None:
            break
    assert pages == 5
    assert sorted(seen) == sorted(str(row["_id"]) for row in rows)


async def test_la_lecture_suit_son_index(poste: Poste) -> None:
    """Sorted by the index itself: a million rows cost no more per page than ten thousand."""
    ids = [new_id() for _ in range(3)]
    filtre = {"$or": [alertes_de(id_) for id_ in ids]}
    plan = str(await poste.db.envois.find(filtre).sort("_id", 1).limit(10).explain()).partition("rejectedPlans")[0]
    for annonce_id in ids:
        assert alertes_de(annonce_id)["_id"]["$gt"] in plan
    assert "'stage': 'SORT'" not in plan
    assert "COLLSCAN" not in plan


async def test_seul_le_systeme_lit_le_bilan(poste: Poste) -> None:
    corps = {"annonce_ids": [new_id()]}
    for roles in (set(), {"moderateur"}):
        entetes = {"Authorization": f"Bearer {poste.jeton('notifications', sub=new_id(), roles=roles)}"}
        reponse = await poste.api.post("/v1/interne/bilan", json=corps, headers=entetes)
        assert reponse.status_code == 403
    assert (await poste.api.post("/v1/interne/bilan", json=corps)).status_code == 401


@pytest.mark.parametrize("annonce_ids", [[], ["a"] * 501])
async def test_une_liste_vide_ou_trop_longue_est_refusee(poste: Poste, annonce_ids: list[str]) -> None:
    reponse = await poste.api.post("/v1/interne/bilan", json={"annonce_ids": annonce_ids}, headers=poste.systeme())
    assert reponse.status_code == 422
    assert reponse.headers["content-type"] == "application/problem+json"
