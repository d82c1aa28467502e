"""Somebody answers and withdraws forty times: the author gets a handful of mails, then one that counts the rest."""

import datetime as dt
from collections import Counter

from contracts.annonces import EtatReponse, Reponse, ReponseAnnulee, ReponseDeposee
from kit.ids import new_id
from services.notifications.planning.limits import LIBRES
from tests.integration.notifications.conftest import Poste

FOIS = 20


async def test_une_rafale_de_reponses_devient_une_poignee_de_mails_puis_un_qui_compte(poste: Poste) -> None:
    auteur, chez_elle = await poste.inscrire()
    annonce_id, benevole = new_id(), new_id()
    for _ in range(FOIS):
        reponse = Reponse(
            reponse_id=new_id(),
            version=1,
            etat=EtatReponse.DEPOSEE,
            annonce_id=annonce_id,
            annonce_titre="Une camionnette",
            quantite=1,
            compte_id=benevole,
            destinataires=[auteur],
            deposee_at=dt.datetime.now(dt.UTC),
        )
        await poste.publier(ReponseDeposee(reponse=reponse))
        annulee = reponse.model_copy(update={"version": 2, "etat": EtatReponse.ANNULEE})
        await poste.publier(ReponseAnnulee(reponse=annulee))

    async def etats() -> Counter[str]:
        lignes = poste.db.envois.find({"compte_id": auteur, "genre": {"$ne": "regroupement"}}, {"etat": 1, "motif": 1})
        return Counter([f"{ligne['etat']} {ligne.get('motif', '')}".strip() async for ligne in lignes])

    async def poignee() -> bool:
        return await etats() == {"remis": LIBRES, "en_file regroupement": 2 * FOIS - LIBRES}

    await poste.bientot(poignee)
    assert len(poste.boite.mails[chez_elle]) == LIBRES

    # Their hour has come.
    now = dt.datetime.now(dt.UTC)
    await poste.db.envois.update_many(
        {"compte_id": auteur, "motif": "regroupement"}, {"$set": {"resume_at": now, "reprise_at": now}}
    )
    regroupement = await poste.dans_l_etat("remis", compte_id=auteur, genre="regroupement")
    assert regroupement["titre"].startswith(f"{2 * FOIS - LIBRES} réponses depuis ")
    assert len(poste.boite.mails[chez_elle]) == LIBRES + 1
    assert poste.boite.mails[chez_elle][-1]["Subject"].split() == regroupement["titre"].split()
    assert await etats() == {"remis": LIBRES, "regroupee regroupement": 2 * FOIS - LIBRES}
    comptees = await poste.db.envois.count_documents({"compte_id": auteur, "resume_id": regroupement["_id"]})
    assert comptees == 2 * FOIS - LIBRES
