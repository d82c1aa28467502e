"""What is read of the ledger: a feed at a secret address, the moderators' page; and keys that are changed."""

import xml.etree.ElementTree as ET
from typing import Any

import httpx

from contracts.annonces import AnnonceRetiree, EtatAnnonce
from contracts.comptes import CompteEfface, EtatCompte
from kit.ids import new_id
from services.notifications.app import create
from services.notifications.contacts.encryption import ContactCipher
from tests.integration.notifications.abonne import abonner
from tests.integration.notifications.conftest import Poste
from tests.integration.notifications.faits import annonce, compte, correspondances, destinataire


async def flux_de(poste: Poste, compte_id: str, profil_id: str) -> str:
    """The path of the feed, as its owner is told it."""
    vus = (await poste.api.get("/v1/mes/flux", headers=poste.comme(compte_id))).json()["flux"]
    adresse: str = vus[profil_id]
    assert adresse.startswith("https://place.exemple/flux/")
    return f"/v1/flux/{adresse.rpartition('/')[2].removesuffix('.xml')}"


def titres(reponse: httpx.Response) -> list[str]:
    racine = ET.fromstring(reponse.content)  # noqa: S314 - our own words
    return [item.findtext("title") or "" for item in racine.iter("item")]


async def trouver(poste: Poste, compte_id: str, profil_id: str, **autres: Any) -> Any:
    de = annonce(**autres)
    await poste.publier(correspondances(de, destinataire(compte_id, profil_id)))
    await poste.dans_l_etat("remis", annonce_id=de.annonce_id)
    return de


async def test_un_flux_montre_ce_qui_correspond_et_se_vide_a_l_arret(poste: Poste) -> None:
    compte_id, adresse = await poste.inscrire()
    profil_id = new_id()
    ancienne = await trouver(poste, compte_id, profil_id, titre="Un <camion> & son chauffeur")
    await trouver(poste, compte_id, profil_id, titre="Une salle", urgent=True)
    chemin = await flux_de(poste, compte_id, profil_id)
    lu = await poste.api.get(chemin, headers=poste.comme())
    assert lu.status_code == 200
    assert lu.headers["content-type"].startswith("application/rss+xml")
    assert titres(lu) == ["Urgent\u00a0: Une salle", "Un <camion> & son chauffeur"]
    assert compte_id not in lu.text
    assert adresse not in lu.text
    for marque in (lu.headers["etag"], f'"autre", W/{lu.headers["etag"]}'):
        inchange = await poste.api.get(chemin, headers={**poste.comme(), "If-None-Match": marque})
        assert (inchange.status_code, inchange.content) == (304, b"")

    await poste.publier(AnnonceRetiree(annonce=ancienne.model_copy(update={"version": 3, "etat": EtatAnnonce.RETIREE})))

    async def closed() -> bool:
        return await poste.db.clotures.count_documents({"_id": ancienne.annonce_id}) == 1

    await poste.bientot(closed)
    change = await poste.api.get(chemin, headers={**poste.comme(), "If-None-Match": lu.headers["etag"]})
    assert change.status_code == 200
    assert titres(change)[1] == "Plus en ligne\u00a0: Un <camion> & son chauffeur"

    url = str(poste.boite.mails[adresse][0]["List-Unsubscribe"]).strip("<>")
    await poste.api.post(f"/v1/desabonnements/{url.rpartition('/')[2]}", headers=poste.comme())
    fini = await poste.api.get(chemin, headers=poste.comme())
    assert titres(fini) == []
    assert "Vous avez arrêté cette alerte" in fini.text
    assert (await poste.api.get("/v1/mes/flux", headers=poste.comme(compte_id))).json()["flux"] == {}
    # The link that unsubscribes opens no feed.
    for jeton in (url.rpartition("/")[2], "n-importe-quoi"):
        assert (await poste.api.get(f"/v1/flux/{jeton}", headers=poste.comme())).status_code == 404


async def test_rien_ne_reste_dans_le_flux_de_qui_est_efface(poste: Poste) -> None:
    compte_id, _ = await poste.inscrire()
    profil_id = new_id()
    await trouver(poste, compte_id, profil_id)
    chemin = await flux_de(poste, compte_id, profil_id)
    assert len(titres(await poste.api.get(chemin, headers=poste.comme()))) == 1
    await poste.publier(CompteEfface(compte=compte(compte_id, 2, etat=EtatCompte.EFFACE)))

    async def vide() -> bool:
        return titres(await poste.api.get(chemin, headers=poste.comme())) == []

    await poste.bientot(vide)


async def test_le_registre_est_aux_moderateurs_et_ne_nomme_personne(poste: Poste) -> None:
    qui = await abonner(poste)
    de = await qui.est_alerte()
    await poste.parti(annonce_id=de.annonce_id, canal="email")
    for chemin in ("/v1/notifications/registre", "/v1/notifications/registre.json"):
        assert (await poste.api.get(chemin)).status_code == 401
        assert (await poste.api.get(chemin, headers=poste.comme(qui.compte_id))).status_code == 403
        vue = await poste.api.get(chemin, params={"annonce": de.annonce_id}, headers=poste.comme("m", "moderateur"))
        assert vue.status_code == 200, vue.text
        for nom in (qui.compte_id, qui.profil_id, qui.adresse, qui.numero, qui.numero.removeprefix("+33")):
            assert nom not in vue.text
    donnees = vue.json()
    assert donnees["total"] == 2
    assert {envoi["canal"] for envoi in donnees["envois"]} == {"email", "sms"}
    assert donnees["sms"]["parties"] >= 1
    faux = {"du": "hier"}
    for chemin in ("/v1/notifications/registre", "/v1/notifications/registre.json"):
        assert (await poste.api.get(chemin, params=faux, headers=poste.comme("m", "moderateur"))).status_code == 422


async def test_apres_un_changement_de_cle_tout_s_ouvre_par_la_nouvelle_et_stop_est_compris(
    poste: Poste,
) -> None:
    qui = await abonner(poste)
    await poste.api.post(
        "/v1/mes/push",
        json={"subscription": {"endpoint": "https://fcm.googleapis.com/x"}},
        headers=poste.comme(qui.compte_id),
    )
    # Altered: no key opens it, and it is not to keep the old one for ever.
    abimee, _ = await poste.inscrire()
    await poste.db.contacts.update_one({"_id": abimee}, {"$set": {"email.contenu": b"x" * 40}})
    ancienne, nouvelle = poste.reglages.cle_chiffrement.split(",")
    app = create(poste.reglages.model_copy(update={"cle_chiffrement": f"{nouvelle},{ancienne}", "smpp_url": ""}))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://notifications") as api:
            assert (await api.post("/v1/interne/rotation", headers=poste.comme(qui.compte_id))).status_code == 403
            faits = [(await api.post("/v1/interne/rotation", headers=poste.systeme())).json()["faits"] for _ in "12"]
    assert faits[0] >= 3
    assert faits[1] == 0
    neuf = ContactCipher(nouvelle)
    contact = await poste.db.contacts.find_one({"_id": qui.compte_id})
    assert contact is not None
    assert neuf.ouvrir(contact["email"], qui.compte_id) == qui.adresse
    assert neuf.ouvrir(contact["telephone"], f"{qui.compte_id}:sms") == qui.numero
    assert "fcm" in neuf.ouvrir(contact["push"], f"{qui.compte_id}:push")
    # What is looked for by its hash is found without the old key too.
    assert contact["empreinte_tel"] == neuf.empreinte(qui.numero)
    assert contact["empreinte"] == neuf.empreinte(qui.adresse)
    autres = {"$exists": True, "$ne": neuf.courante}
    for champ in ("email", "telephone", "push"):
        assert await poste.db.contacts.count_documents({f"{champ}.cle": autres}) == 0
    assert await poste.db.contacts.count_documents({"_id": abimee, "email": {"$exists": False}}) == 1
    # A process that still writes under the old key reads what is under the new one.
    await qui.est_alerte()
    await qui.ecrit("STOP")
    await qui.lit("vous ne recevrez plus de SMS")
    vu = (await poste.api.get("/v1/mes/preferences", headers=poste.comme(qui.compte_id))).json()
    assert vu["canaux"]["sms"] is False
