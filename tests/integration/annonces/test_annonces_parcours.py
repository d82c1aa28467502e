"""The way of an annonce, over HTTP and Kafka: posted, decided, published, corrected, answered, ended."""

import asyncio
import datetime as dt
from typing import Any

import pytest

from contracts.comptes import Compte, CompteEfface, EtatCompte
from contracts.moderation import Issue, Motif, TypeCible
from contracts.notifications import Canal, EnvoisRemis, Intention, ReponseParMessage
from kit.ids import new_id
from services.annonces import expiration
from tests.integration.annonces.banc import Banc, corps_association, corps_besoin, corps_offre, decision

MOTIF = Motif(code="contenu-insuffisant", explication="Dites quand.")


async def test_ce_qui_est_genere_n_alertera_personne(banc: Banc) -> None:
    association = await banc.association("s-genere")
    corps = corps_besoin(association["association_id"])
    refus = await banc.appeler("POST", "/v1/interne/annonces", "s-genere", json=corps)
    assert refus.status_code == 403
    deposee = await banc.appeler("POST", "/v1/interne/annonces", "s-genere", roles={"systeme"}, json=corps)
    assert deposee.status_code == 201, deposee.text
    annonce_id = deposee.json()["annonce_id"]
    await banc.traiter(decision(TypeCible.ANNONCE, annonce_id, 1))
    assert (await banc.entendu("AnnoncePubliee", annonce_id)).annonce.sans_alerte is True
    ordinaire = await banc.publiee("s-genere", association["association_id"])
    assert (await banc.entendu("AnnoncePubliee", ordinaire["annonce_id"])).annonce.sans_alerte is False
    # Whoever posts cannot ask for it, nor is it shown.
    assert (
        await banc.appeler("POST", "/v1/annonces", "s-genere", json={**corps, "sans_alerte": True})
    ).status_code == 422
    assert "sans_alerte" not in await banc.lire(annonce_id)


async def test_deposee_puis_approuvee_par_kafka_elle_est_publiee(banc: Banc) -> None:
    association = await banc.association("m1")
    corps = corps_besoin(association["association_id"])
    deposee = await banc.appeler("POST", "/v1/annonces", "m1", json=corps)
    assert deposee.status_code == 201
    annonce_id = deposee.json()["annonce_id"]
    assert deposee.headers["location"] == f"/v1/annonces/{annonce_id}"
    assert deposee.headers["etag"] == '"1"'
    assert (await banc.entendu("AnnonceDeposee", annonce_id)).annonce.auteur.nom == "Les Jardins de Fives"
    assert (await banc.appeler("GET", f"/v1/annonces/{annonce_id}")).status_code == 404

    await banc.publier(decision(TypeCible.ANNONCE, annonce_id, 1))
    publiee = (await banc.entendu("AnnoncePubliee", annonce_id)).annonce
    assert (publiee.version, publiee.etat) == (2, "publiee")
    vue = await banc.lire(annonce_id)
    assert vue["etat"] == "publiee"
    assert vue["auteur"] == {
        "type": "association",
        "association_id": association["association_id"],
        "nom": "Les Jardins de Fives",
    }
    assert "motifs" not in vue
    assert "alertes" not in vue


async def test_a_corriger_puis_corrigee_puis_approuvee(banc: Banc) -> None:
    association = await banc.association("m2")
    corps = corps_besoin(association["association_id"])
    annonce_id = (await banc.appeler("POST", "/v1/annonces", "m2", json=corps)).json()["annonce_id"]
    await banc.traiter(decision(TypeCible.ANNONCE, annonce_id, 1, Issue.A_CORRIGER, [MOTIF]))
    vue = await banc.lire(annonce_id, "m2")
    assert vue["etat"] == "a_corriger"
    assert vue["motifs"][0]["explication"] == "Dites quand."

    del corps["auteur"]
    corps["description"] += " De 9 h à midi."
    chemin = f"/v1/annonces/{annonce_id}"
    assert (await banc.appeler("PUT", chemin, "m2", json=corps)).status_code == 428
    assert (await banc.appeler("PUT", chemin, json=corps)).status_code == 401
    perimee = await banc.appeler("PUT", chemin, "m2", json=corps, headers={"If-Match": '"1"'})
    assert perimee.status_code == 412
    assert perimee.headers["content-type"] == "application/problem+json"
    assert perimee.json()["type"] == "/problemes/version-depassee"
    corrigee = await banc.appeler("PUT", chemin, "m2", json=corps, headers={"If-Match": '"2"'})
    assert (corrigee.status_code, corrigee.json()["etat"], corrigee.json()["version"]) == (200, "deposee", 3)

    # A decision about the text before the correction changes nothing.
    await banc.traiter(decision(TypeCible.ANNONCE, annonce_id, 1))
    assert (await banc.lire(annonce_id, "m2"))["etat"] == "deposee"
    await banc.traiter(decision(TypeCible.ANNONCE, annonce_id, 3))
    assert (await banc.lire(annonce_id))["etat"] == "publiee"


async def test_une_annonce_en_ligne_le_reste_pendant_que_son_nouveau_texte_est_relu(banc: Banc) -> None:
    association = await banc.association("c1")
    annonce = await banc.publiee("c1", association["association_id"])
    annonce_id = annonce["annonce_id"]
    chemin = f"/v1/annonces/{annonce_id}"
    reponse = await banc.appeler("POST", f"{chemin}/reponses", "c2", json={})
    assert reponse.status_code == 201
    pourvue = await banc.lire(annonce_id, "c1")
    assert pourvue["etat"] == "pourvue"
    corps = corps_besoin(association["association_id"], titre="Deux camionnettes", quartier="lomme", places=2)
    del corps["auteur"]
    entetes = {"If-Match": f'"{pourvue["version"]}"'}
    corrigee = await banc.appeler("PUT", chemin, "c1", json=corps, headers=entetes)
    assert (corrigee.status_code, corrigee.json()["etat"]) == (200, "publiee")
    assert corrigee.json()["proposition"]["titre"] == "Deux camionnettes"
    for sub in ("", "c2"):
        vue = await banc.lire(annonce_id, sub)
        assert (vue["titre"], vue["lieu"]["quartier"], vue["places"]) == ("Une camionnette pour samedi", "fives", 2)
        assert "proposition" not in vue
    recues = (await banc.appeler("GET", f"{chemin}/reponses", "c1")).json()["reponses"]
    assert recues[0]["etat"] == "deposee"
    relire = await banc.entendu("AnnonceModifiee", "Deux camionnettes")
    assert (relire.annonce.titre, relire.proposee.lieu.quartier) == ("Une camionnette pour samedi", "lomme")
    version = relire.proposee.version

    await banc.traiter(decision(TypeCible.ANNONCE, annonce_id, version, Issue.A_CORRIGER, [MOTIF]))
    vue = await banc.lire(annonce_id, "c1")
    assert (vue["etat"], vue["titre"], vue["motifs"]) == ("publiee", "Une camionnette pour samedi", [])
    assert (vue["proposition"]["etat"], vue["proposition"]["motifs"][0]["explication"]) == (
        "a_corriger",
        "Dites quand.",
    )
    corps["description"] += " De 9 h à midi."
    entetes = {"If-Match": f'"{vue["version"]}"'}
    corrigee = await banc.appeler("PUT", chemin, "c1", json=corps, headers=entetes)
    await banc.traiter(decision(TypeCible.ANNONCE, annonce_id, corrigee.json()["version"]))
    vue = await banc.lire(annonce_id)
    assert (vue["etat"], vue["titre"], vue["lieu"]["quartier"]) == ("publiee", "Deux camionnettes", "lomme")


async def test_seuls_les_membres_d_une_association_validee_deposent_en_son_nom(banc: Banc) -> None:
    inscrite = await banc.appeler("POST", "/v1/associations", "m3", json=corps_association())
    association_id = inscrite.json()["association_id"]
    attente = await banc.appeler("POST", "/v1/annonces", "m3", json=corps_besoin(association_id))
    assert attente.status_code == 403
    assert "validée" in attente.json()["detail"]
    autre = await banc.appeler("POST", "/v1/annonces", "quelquun", json=corps_besoin(association_id))
    assert autre.status_code == 404
    assert (await banc.appeler("GET", f"/v1/associations/{association_id}", "quelquun")).status_code == 404
    assert (await banc.appeler("POST", "/v1/annonces", json=corps_offre())).status_code == 401


async def test_l_annonce_d_un_autre_n_existe_pas(banc: Banc) -> None:
    association = await banc.association("m4")
    annonce = await banc.publiee("m4", association["association_id"])
    chemin = f"/v1/annonces/{annonce['annonce_id']}"
    corps = corps_besoin(association["association_id"])
    del corps["auteur"]
    modifiee = await banc.appeler("PUT", chemin, "intrus", json=corps, headers={"If-Match": '"2"'})
    assert modifiee.status_code == 404
    assert (await banc.appeler("POST", f"{chemin}/retrait", "intrus")).status_code == 404
    assert (await banc.appeler("GET", f"{chemin}/reponses", "intrus")).status_code == 404
    assert (await banc.lire(annonce["annonce_id"], "m4"))["etat"] == "publiee"


async def test_la_meme_cle_d_idempotence_depose_une_fois(banc: Banc) -> None:
    entetes = {"Idempotency-Key": new_id()}
    corps = corps_offre()
    ensemble = await asyncio.gather(
        *[banc.appeler("POST", "/v1/annonces", "p1", json=corps, headers=entetes) for _ in range(4)]
    )
    assert sorted(r.status_code for r in ensemble) == [200, 200, 200, 201]
    assert len({r.json()["annonce_id"] for r in ensemble}) == 1
    autre = await banc.appeler("POST", "/v1/annonces", "p1", json=corps_offre(places=2), headers=entetes)
    assert autre.status_code == 422
    personne = await banc.appeler("POST", "/v1/annonces", "p2", json=corps, headers=entetes)
    assert personne.status_code == 201


@pytest.mark.parametrize(
    ("champs", "champ"),
    [
        ({"inconnu": 1}, "inconnu"),
        ({"titre": "abc"}, "titre"),
        ({"titre": "Des costumes\u0007 à donner"}, "titre"),
        ({"categories": ["maraude"]}, "categories"),
        ({"cession": None}, "cession"),
        ({"places": 0}, "places"),
        ({"sens": "besoin"}, "sens"),
        ({"date_debut": "2099-02-01", "date_fin": "2099-01-01"}, "date_fin"),
        ({"date_debut": "2020-01-01"}, "date_debut"),
        ({"expire_at": "2020-01-01T00:00:00Z"}, "expire_at"),
        ({"lat": 91}, "lat"),
        ({"domaines": ["inconnu"]}, "domaines"),
        ({"lat": None, "lon": None}, "quartier"),
        ({"lon": None}, "lon"),
        ({"auteur": {"type": "association"}}, "auteur.association_id"),
        ({"auteur": {"type": "personne_morale"}}, "auteur.nom"),
        ({"auteur": {"type": "particulier", "siren": "732829320"}}, "auteur.siren"),
    ],
)
async def test_un_mauvais_champ_est_refuse_par_son_nom(banc: Banc, champs: dict[str, Any], champ: str) -> None:
    reponse = await banc.appeler("POST", "/v1/annonces", "p3", json=corps_offre(**champs))
    assert reponse.status_code == 422
    assert reponse.headers["content-type"] == "application/problem+json"
    assert [erreur["champ"] for erreur in reponse.json()["erreurs"]] == [champ]
    assert (await banc.appeler("GET", "/v1/mes/annonces", "p3")).json()["total"] == 0


@pytest.mark.parametrize(
    "corps",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"texte"',
        b'{"\\ud800": 1}',
        b'{"titre": "\\ud800 des costumes"}',
        b"\xff\xfe",
        b"1e999",
    ],
)
async def test_un_corps_qui_n_est_pas_une_annonce_est_refuse(banc: Banc, corps: bytes) -> None:
    entetes = {"Content-Type": "application/json"}
    reponse = await banc.appeler("POST", "/v1/annonces", "p5", content=corps, headers=entetes)
    assert reponse.status_code == 422, reponse.text
    assert reponse.headers["content-type"] == "application/problem+json"


async def test_un_engagement_non_signe_ou_un_numero_pris_est_refuse(banc: Banc) -> None:
    corps = corps_association()
    refusee = {**corps, "engagement": {**corps["engagement"], "accepte": False}}
    reponse = await banc.appeler("POST", "/v1/associations", "m5", json=refusee)
    assert (reponse.status_code, reponse.json()["erreurs"][0]["champ"]) == (422, "engagement")
    inscrite = await banc.appeler("POST", "/v1/associations", "m5", json=corps)
    assert inscrite.status_code == 201
    assert (await banc.appeler("POST", "/v1/associations", "m6", json=corps)).status_code == 409
    # Once refused, its number is free again.
    await banc.traiter(decision(TypeCible.ASSOCIATION, inscrite.json()["association_id"], 1, Issue.REFUSEE, [MOTIF]))
    assert (await banc.appeler("POST", "/v1/associations", "m6", json=corps)).status_code == 201


async def test_un_moderateur_voit_une_annonce_avant_sa_parution(banc: Banc) -> None:
    annonce_id = (await banc.appeler("POST", "/v1/annonces", "p6", json=corps_offre())).json()["annonce_id"]
    vue = await banc.appeler("GET", f"/v1/annonces/{annonce_id}", "mod", roles={"moderateur"})
    assert (vue.status_code, vue.json()["gerable"]) == (200, False)
    assert (await banc.lire(annonce_id, "p6"))["gerable"] is True


async def test_une_association_a_corriger_est_soumise_de_nouveau(banc: Banc) -> None:
    corps = corps_association()
    association_id = (await banc.appeler("POST", "/v1/associations", "m7", json=corps)).json()["association_id"]
    await banc.traiter(decision(TypeCible.ASSOCIATION, association_id, 1, Issue.A_CORRIGER, [MOTIF]))
    chemin = f"/v1/associations/{association_id}"
    lue = (await banc.appeler("GET", chemin, "m7")).json()
    assert (lue["etat"], lue["motifs"][0]["code"]) == ("inscrite", "contenu-insuffisant")
    del corps["engagement"]
    corps["description"] += " Tous les samedis."
    corrigee = await banc.appeler("PUT", chemin, "m7", json=corps, headers={"If-Match": '"1"'})
    assert (corrigee.status_code, corrigee.json()["version"]) == (200, 2)
    await banc.traiter(decision(TypeCible.ASSOCIATION, association_id, 2))
    assert (await banc.appeler("GET", chemin)).json()["etat"] == "validee"


async def test_une_association_exclue_voit_ses_annonces_retirees(banc: Banc) -> None:
    association = await banc.association("m8")
    annonce = await banc.publiee("m8", association["association_id"])
    await banc.traiter(decision(TypeCible.ASSOCIATION, association["association_id"], 2, Issue.RETIREE, [MOTIF]))
    vue = await banc.lire(annonce["annonce_id"], "m8")
    assert (vue["etat"], vue["motifs"][0]["code"]) == ("retiree", "contenu-insuffisant")
    await banc.entendu("AnnonceRetiree", annonce["annonce_id"])


async def test_les_alertes_sont_comptees_une_fois_pour_l_auteur(banc: Banc) -> None:
    association = await banc.association("m9")
    annonce_id = (await banc.publiee("m9", association["association_id"]))["annonce_id"]
    remis = EnvoisRemis(
        lot_id=new_id(),
        annonce_id=annonce_id,
        canal=Canal.EMAIL,
        profils=["a", "b", "c"],
        remis_at=dt.datetime.now(dt.UTC),
    )
    event_id = new_id()
    await banc.traiter(remis, event_id=event_id)
    await banc.traiter(remis, event_id=event_id)
    assert (await banc.lire(annonce_id, "m9"))["alertes"] == 3


async def test_le_dernier_jour_finit_une_annonce(banc: Banc) -> None:
    corps = corps_offre()
    annonce_id = (await banc.appeler("POST", "/v1/annonces", "p4", json=corps)).json()["annonce_id"]
    deps = banc.app.state.deps
    hier = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    await deps.store.annonces.update_one({"_id": annonce_id}, {"$set": {"expire_at": hier}})
    # Several workers at once, and the one that runs already: one of them ends it, once.
    await asyncio.gather(*[expiration.expirer_echues(deps) for _ in range(3)])
    vue = await banc.bientot(lambda: banc.lire(annonce_id, "p4"))
    assert (vue["etat"], vue["version"]) == ("expiree", 2)
    await banc.entendu("AnnonceExpiree", annonce_id)
    assert (await banc.appeler("POST", f"/v1/annonces/{annonce_id}/retrait", "p4")).status_code == 409


async def test_un_compte_efface_ne_laisse_rien_a_lui(banc: Banc) -> None:
    compte = new_id()
    association = await banc.association("m10")
    annonce = await banc.publiee("m10", association["association_id"], places=2)
    chemin = f"/v1/annonces/{annonce['annonce_id']}/reponses"
    reponse = await banc.appeler("POST", chemin, compte, json={"message": "Appelez-moi au 0600000000"})
    assert reponse.status_code == 201
    offre = (await banc.appeler("POST", "/v1/annonces", compte, json=corps_offre())).json()
    quittee = await banc.association(compte)

    efface = Compte(compte_id=compte, version=9, etat=EtatCompte.EFFACE, cree_at=dt.datetime.now(dt.UTC))
    await banc.traiter(CompteEfface(compte=efface))
    store = banc.app.state.deps.store
    stockee = await store.reponse(reponse.json()["reponse_id"])
    assert (stockee["message"], stockee["etat"], stockee["compte_id"]) == ("", "annulee", "efface")
    assert (await banc.lire(annonce["annonce_id"]))["places_restantes"] == 2
    retiree = await store.annonce(offre["annonce_id"])
    assert (retiree["etat"], retiree["auteur"]["compte_id"]) == ("retiree", "efface")
    assert "costumes" not in retiree["description"]
    assert (await store.association(quittee["association_id"]))["membres"] == []
    # Nobody is left in it: somebody else may sign it up again.
    assert (await banc.association("m11", rna=quittee["rna"]))["rna"] == quittee["rna"]
    assert "costumes" not in (await banc.entendu("AnnonceRetiree", offre["annonce_id"])).annonce.titre
    assert (await store.association(quittee["association_id"]))["engagement"]["signe_par"] == "efface"


async def test_a_late_answer_of_an_erased_account_is_none(banc: Banc) -> None:
    compte = new_id()
    association = await banc.association("m12")
    annonce = await banc.publiee("m12", association["association_id"], places=2)
    efface = Compte(compte_id=compte, version=2, etat=EtatCompte.EFFACE, cree_at=dt.datetime.now(dt.UTC))
    await banc.traiter(CompteEfface(compte=efface))
    await banc.traiter(
        ReponseParMessage(
            reponse_id=new_id(),
            annonce_id=annonce["annonce_id"],
            compte_id=compte,
            canal=Canal.SMS,
            intention=Intention.REPONDRE,
            recue_at=dt.datetime.now(dt.UTC),
        )
    )
    assert (await banc.lire(annonce["annonce_id"]))["places_restantes"] == 2
    db = banc.app.state.deps.store.db
    assert await db.reponses.count_documents({"compte_id": compte}) == 0
    assert await db.outbox.count_documents({"value": {"$regex": compte}}) == 0
