"""What a provider can answer, or not answer, and what a crash leaves: each row ends as the ledger says."""

import datetime as dt

from contracts.notifications import Canal
from kit.ids import new_id
from services.notifications.domain import Genre
from services.notifications.registre.store import Registre
from tests.integration.notifications.conftest import Poste
from tests.integration.notifications.faits import annonce, correspondances, destinataire


async def test_451_est_reessaye_puis_livre_une_fois(poste: Poste) -> None:
    compte_id, adresse = await poste.inscrire()
    poste.boite.refuser(adresse, "451 4.7.1 Come back later")
    await poste.publier(correspondances(annonce(), destinataire(compte_id)))
    ligne = await poste.dans_l_etat("remis", compte_id=compte_id)
    assert ligne["tentatives"] == 2
    assert "motif" not in ligne
    assert len(poste.boite.mails[adresse]) == 1


async def test_550_finit_la_avec_le_code_et_sans_l_adresse(poste: Poste) -> None:
    compte_id, adresse = await poste.inscrire()
    voisin, chez_le_voisin = await poste.inscrire()
    poste.boite.refuser(adresse, f"550 5.1.1 <{adresse}> unknown")
    await poste.publier(correspondances(annonce(), destinataire(compte_id), destinataire(voisin)))
    ligne = await poste.dans_l_etat("echec_permanent", compte_id=compte_id)
    assert ligne["motif"] == "smtp 550 5.1.1"
    await poste.dans_l_etat("remis", compte_id=voisin)
    assert not poste.boite.mails[adresse]
    assert len(poste.boite.mails[chez_le_voisin]) == 1


async def test_sans_serveur_rien_n_est_consomme_et_tout_arrive_a_son_retour(poste: Poste) -> None:
    poste.boite.fermer()
    try:
        inscrits = [await poste.inscrire() for _ in range(5)]
        de = annonce()
        await poste.publier(correspondances(de, *[destinataire(compte_id) for compte_id, _ in inscrits]))
        ligne = await poste.ligne(annonce_id=de.annonce_id)
        assert ligne["etat"] in ("en_file", "remise", "echec_temporaire")
    finally:
        poste.boite.ouvrir()
    for compte_id, adresse in inscrits:
        ligne = await poste.dans_l_etat("remis", compte_id=compte_id)
        assert ligne["tentatives"] == 1
        assert len(poste.boite.mails[adresse]) == 1


async def test_une_ligne_laissee_entre_prise_et_marque_repart_une_fois_et_est_marquee(poste: Poste) -> None:
    compte_id, adresse = await poste.inscrire()
    now = dt.datetime.now(dt.UTC)
    envoi_id, contenu_id, lot = new_id(), f"{Genre.REPONSE_ACCEPTEE}:{new_id()}", new_id()
    donnees = {"titre": "Une camionnette", "annonce_id": new_id(), "quantite": 1}
    await poste.db.contenus.insert_one(
        {"_id": contenu_id, "genre": "reponse_acceptee", "donnees": donnees, "cree_at": now}
    )
    await poste.db.envois.insert_one(
        {
            "_id": envoi_id,
            "genre": "reponse_acceptee",
            "canal": "email",
            "compte_id": compte_id,
            "contenu_id": contenu_id,
            "titre": "Une camionnette",
            "pourquoi": "",
            "etat": "remise",
            "tentatives": 1,
            "lot": lot,
            "cree_at": now - dt.timedelta(minutes=3),
        }
    )
    await poste.db.baux.insert_one(
        {"_id": lot, "canal": "email", "envoi_ids": [envoi_id], "fin_at": now - dt.timedelta(seconds=1)}
    )
    ligne = await poste.dans_l_etat("remis", _id=envoi_id)
    assert ligne["tentatives"] == 2
    [mail] = poste.boite.mails[adresse]
    assert mail["Message-ID"] == f"<{envoi_id}@place-des-assos.example>"


async def test_une_ligne_laissee_avant_sa_prise_est_reprise(poste: Poste, registre: Registre) -> None:
    compte_id, adresse = await poste.inscrire()
    contenu_id = f"{Genre.REPONSE_DECLINEE}:{new_id()}"
    donnees = {"titre": "Une camionnette", "annonce_id": new_id(), "quantite": 1}
    ligne = registre.ligne(
        new_id(), Genre.REPONSE_DECLINEE, Canal.EMAIL, compte_id, contenu_id, 1, titre="", pourquoi=""
    )
    await poste.db.contenus.insert_one(
        {"_id": contenu_id, "genre": "reponse_declinee", "donnees": donnees, "cree_at": ligne["cree_at"]}
    )
    await poste.db.envois.insert_one({**ligne, "reprise_at": ligne["cree_at"]})
    await poste.dans_l_etat("remis", compte_id=compte_id)
    assert len(poste.boite.mails[adresse]) == 1
