"""The main job as its users live it, through the public door, on the whole system."""

import asyncio
import json
import secrets
import subprocess
import sys

import pytest

from deploy.client import Client, RequestRefused, jusqu_a
from deploy.layout import ROOT
from tests.pile import Ville, annonce, profil

pytestmark = pytest.mark.e2e


def titre(quoi: str) -> str:
    return f"{quoi} {secrets.token_hex(4)}"


async def test_la_demonstration_ne_perd_et_ne_double_aucune_alerte(ville: Ville) -> None:
    command = [sys.executable, "-m", "deploy.cli", "demo", "--profils", "300", "--json"]
    run = await asyncio.to_thread(subprocess.run, command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    bilan = json.loads(run.stdout.splitlines()[-1])
    assert bilan["alertes_attendues"] == bilan["alertes_livrees"] > 0
    assert (bilan["doublons"], bilan["manquantes"], bilan["profils"]) == (0, 0, 300)
    assert bilan["premier_ms"] <= bilan["dernier_ms"]
    assert all(bilan[server] for server in ("kafka", "mongo", "redis"))


async def test_un_besoin_refuse_ne_previent_personne(ville: Ville) -> None:
    responsable, benevole = await ville.entrer("responsable"), await ville.entrer("benevole")
    association = await ville.association(responsable)
    await benevole.post("/v1/profils", profil("jouets-puericulture"))
    await ville.index_a_jour()
    refuse, accepte = titre("Besoin refusé"), titre("Besoin accepté")
    cible = await responsable.post("/v1/annonces", annonce(association, refuse, "jouets-puericulture"))
    await ville.decider(cible["annonce_id"], "refusee", [{"code": "hors-objet"}])
    await ville.etat(responsable, f"/v1/annonces/{cible['annonce_id']}", "refusee")
    with pytest.raises(RequestRefused) as cache:
        await ville.visiteur().get(f"/v1/annonces/{cible['annonce_id']}")
    assert cache.value.status == 404
    # What was posted later is alerted about; what was refused before it never was.
    suivant = await responsable.post("/v1/annonces", annonce(association, accepte, "jouets-puericulture"))
    await ville.decider(suivant["annonce_id"], "approuvee")
    alertes = await ville.alertes(accepte, 1)
    assert ville.alertes_des_siens(alertes) == [ville.adresse("benevole")]
    assert await ville.courrier.mails(0, a=ville.adresse("benevole"), sujet=refuse) == []


async def test_une_offre_trouve_l_association_qui_la_cherche(ville: Ville) -> None:
    association, donneur = await ville.entrer("association"), await ville.entrer("donneur")
    await association.post("/v1/profils", profil("livres", sens="offre"))
    await ville.index_a_jour()
    nom = titre("Trois cartons de livres")
    offre = annonce("", nom, "livres", sens="offre", auteur={"type": "particulier"})
    cible = await donneur.post("/v1/annonces", offre)
    await ville.decider(cible["annonce_id"], "approuvee")
    alertes = await ville.alertes(nom, 1)
    assert ville.alertes_des_siens(alertes) == [ville.adresse("association")]
    vue = await ville.visiteur().get(f"/v1/annonces/{cible['annonce_id']}")
    assert donneur.compte_id not in json.dumps(vue)


async def test_qui_a_plusieurs_alertes_recoit_un_message_par_annonce(ville: Ville) -> None:
    responsable, abonnee, temoin = [await ville.entrer(nom) for nom in ("responsable", "abonnee", "temoin")]
    association = await ville.association(responsable, confiance=True)
    for souhaits in (profil("outillage-bricolage"), profil("outillage-bricolage", rayon_km=9), profil("mobilier")):
        await abonnee.post("/v1/profils", souhaits)
    await temoin.post("/v1/profils", profil("outillage-bricolage"))
    await ville.index_a_jour()
    nom = titre("Des outils et des tables")
    besoin = annonce(association, nom, "outillage-bricolage")
    await responsable.post("/v1/annonces", besoin | {"categories": ["outillage-bricolage", "mobilier"]})
    alertes = await ville.alertes(nom, 2)
    assert sorted(ville.alertes_des_siens(alertes)) == sorted(map(ville.adresse, ("abonnee", "temoin")))


async def test_l_auteur_n_est_pas_alerte_de_sa_propre_annonce(ville: Ville) -> None:
    responsable, autre = await ville.entrer("responsable"), await ville.entrer("autre")
    association = await ville.association(responsable, confiance=True)
    await responsable.post("/v1/profils", profil("stockage", natures=["logistique"]))
    await autre.post("/v1/profils", profil("stockage", natures=["logistique"]))
    await ville.index_a_jour()
    nom = titre("Dix mètres carrés de stockage")
    besoin = annonce(association, nom, "stockage", nature="logistique")
    besoin.pop("cession")
    await responsable.post("/v1/annonces", besoin)
    alertes = await ville.alertes(nom, 1)
    assert ville.alertes_des_siens(alertes) == [ville.adresse("autre")]


async def test_un_get_ne_desabonne_pas_un_post_si(ville: Ville) -> None:
    responsable, benevole = await ville.entrer("responsable"), await ville.entrer("benevole")
    association = await ville.association(responsable, confiance=True)
    await benevole.post("/v1/profils", profil("cuisine-alimentation"))
    await ville.index_a_jour()
    nom = titre("Une grande marmite")
    await responsable.post("/v1/annonces", annonce(association, nom, "cuisine-alimentation"))
    recu = next(m for m in await ville.alertes(nom, 1) if ville.adresse("benevole") in m["a"])
    mail = await ville.courrier.client.get(f"/api/mails/{recu['id']}")
    entetes = {name.lower(): value for name, value in dict(mail["entetes"]).items()}
    assert entetes["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
    lien = entetes["list-unsubscribe"].strip("<>")
    assert ville.adresse("benevole") not in lien

    async with ville.http.get(lien) as page:
        assert page.status == 200
    assert [p["actif"] for p in (await benevole.get("/v1/profils"))["profils"]] == [True]

    async with ville.http.post(lien, data={"List-Unsubscribe": "One-Click"}) as fait:
        assert fait.status == 200

    async def inactif() -> bool:
        return not any(p["actif"] for p in (await benevole.get("/v1/profils"))["profils"])

    await jusqu_a(inactif, "profil désactivé")


async def test_les_places_ne_sont_promises_qu_une_fois(ville: Ville) -> None:
    responsable = await ville.entrer("responsable")
    association = await ville.association(responsable, confiance=True)
    cible = await responsable.post("/v1/annonces", annonce(association, titre("Une table"), places=1))
    path = f"/v1/annonces/{cible['annonce_id']}"
    await ville.etat(responsable, path, "publiee")
    benevoles = [await ville.entrer(f"benevole{n}") for n in range(3)]

    async def repondre(qui: Client) -> int:
        try:
            await qui.post(f"{path}/reponses", {"message": "Je peux.", "quantite": 1})
        except RequestRefused as refus:
            return refus.status
        return 201

    assert sorted(await asyncio.gather(*(repondre(qui) for qui in benevoles))) == [201, 409, 409]
    await ville.etat(responsable, path, "pourvue")
