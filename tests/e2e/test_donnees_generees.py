"""./place seed beside people who subscribed before: the city fills, and nobody is alerted."""

import secrets
from typing import Any

import pytest

from contracts import references
from deploy.client import jusqu_a
from deploy.verbs import seed
from kit.database.mongo import connect
from tests.pile import Ville

pytestmark = pytest.mark.e2e


async def test_les_annonces_generees_n_alertent_personne(ville: Ville) -> None:
    voisine = await ville.entrer("voisine")
    tout = list(references.categories())[:20]
    await voisine.post(
        "/v1/profils", {"sens": "besoin", "categories": tout, "quartier": "lille-centre", "rayon_km": 50}
    )
    await voisine.post("/v1/profils", {"sens": "besoin", "quartier": "lille-centre", "rayon_km": 50})
    await ville.index_a_jour()

    graine = secrets.randbelow(10**6)
    # Twice: the people of the first are there when the annonces of the second come.
    for suite in (graine, graine + 1):
        await seed._run(ville.stack, 1, 5, 30, suite)
    url = ville.stack.urls()["MONGO_URL"]
    annonces, matching, notifications = (connect(url, nom) for nom in ("annonces", "matching", "notifications"))
    auteurs = {"$in": [f"seed{suite}-responsable-000000" for suite in (graine, graine + 1)]}
    ids = [row["_id"] async for row in annonces.db.annonces.find({"auteur.compte_id": auteurs}, {"_id": 1})]
    assert len(ids) == 10

    async def appariees() -> bool:
        siennes: dict[str, Any] = {"_id": {"$in": ids}, "appariee": {"$gt": 0}}
        return bool(await matching.db.annonces.count_documents(siennes) == len(ids))

    await jusqu_a(appariees, "annonces générées appariées")
    assert await matching.db.correspondances.count_documents({"annonce_id": {"$in": ids}}) == 0
    assert await notifications.db.envois.count_documents({"annonce_id": {"$in": ids}}) == 0
    for base in (annonces, matching, notifications):
        base.close()
