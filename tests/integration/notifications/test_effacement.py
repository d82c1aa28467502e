"""What a citizen wrote, and their id, are erased wherever the ledger has copied them."""

import datetime as dt

from contracts.annonces import AnnonceEffacee, EtatReponse, Reponse, ReponseAcceptee, ReponseDeposee
from contracts.commun import Auteur, TypeAuteur
from contracts.comptes import CompteEfface, EtatCompte
from contracts.effacement import TEXTE_EFFACE
from kit.ids import new_id
from tests.integration.notifications.conftest import Poste
from tests.integration.notifications.faits import annonce, compte, correspondances, destinataire


async def test_le_titre_d_une_annonce_effacee_n_est_plus_nulle_part(poste: Poste) -> None:
    autrice, _ = await poste.inscrire()
    inscrits = [(await poste.inscrire())[0] for _ in range(3)]
    titre, autre = f"Mes livres {new_id()}", f"Des tables {new_id()}"
    sienne = annonce(titre=titre, auteur=Auteur(type=TypeAuteur.PARTICULIER, compte_id=autrice))
    voisine = annonce(titre=autre)
    for de in (sienne, voisine):
        await poste.publier(correspondances(de, *[destinataire(compte_id) for compte_id in inscrits]))
    reponse = Reponse(
        reponse_id=new_id(),
        version=1,
        etat=EtatReponse.DEPOSEE,
        annonce_id=sienne.annonce_id,
        annonce_titre=titre,
        quantite=1,
        compte_id=inscrits[0],
        destinataires=[autrice],
        deposee_at=dt.datetime.now(dt.UTC),
    )
    await poste.publier(ReponseDeposee(reponse=reponse))
    acceptee = reponse.model_copy(update={"version": 2, "etat": EtatReponse.ACCEPTEE})
    await poste.publier(ReponseAcceptee(reponse=acceptee))
    await poste.dans_l_etat("remis", compte_id=inscrits[0], genre="reponse_acceptee")
    for compte_id in inscrits:
        await poste.dans_l_etat("remis", compte_id=compte_id, annonce_id=voisine.annonce_id)

    auteur = sienne.auteur.model_copy(update={"compte_id": "efface"})
    efface = sienne.model_copy(update={"titre": TEXTE_EFFACE, "description": TEXTE_EFFACE, "auteur": auteur})
    await poste.publier(AnnonceEffacee(annonce=efface))
    await poste.publier(CompteEfface(compte=compte(autrice, 2, etat=EtatCompte.EFFACE)))

    async def traces() -> set[str]:
        trouvees = set()
        for nom in await poste.db.list_collection_names():
            async for document in poste.db[nom].find({}):
                if set(document) != {"_id", "efface", "version"}:
                    trouvees |= {f"{nom} {trace}" for trace in (titre, autrice) if trace in repr(document)}
        return trouvees

    async def rien() -> bool:
        return await traces() == set()

    await poste.bientot(rien)
    assert await poste.db.envois.count_documents({"annonce_id": voisine.annonce_id, "titre": autre}) == 3

    # What is told late does not bring them back: neither the words, nor who wrote them or would have been alerted.
    parti, _ = await poste.inscrire()
    await poste.publier(CompteEfface(compte=compte(parti, 2, etat=EtatCompte.EFFACE)))
    await poste.traite(await poste.publier(correspondances(sienne, destinataire(inscrits[0]), destinataire(parti))))
    assert await poste.db.envois.count_documents({"annonce_id": sienne.annonce_id}) == 3
    suite = annonce(titre=autre)
    await poste.publier(correspondances(suite, destinataire(parti), destinataire(inscrits[1])))
    await poste.parti(compte_id=inscrits[1], annonce_id=suite.annonce_id)
    assert await poste.db.envois.count_documents({"annonce_id": suite.annonce_id}) == 1
    encore = reponse.model_copy(update={"reponse_id": new_id(), "compte_id": inscrits[2], "etat": EtatReponse.ACCEPTEE})
    await poste.publier(ReponseAcceptee(reponse=encore))
    await poste.ligne(compte_id=inscrits[2], genre="reponse_acceptee", titre=TEXTE_EFFACE)
    tardive = reponse.model_copy(update={"reponse_id": new_id(), "annonce_titre": autre})
    await poste.publier(ReponseDeposee(reponse=tardive))
    await poste.publier(ReponseAcceptee(reponse=tardive.model_copy(update={"version": 2})))
    await poste.ligne(contenu_id=f"reponse_acceptee:{tardive.reponse_id}:2")
    assert await traces() == set()
