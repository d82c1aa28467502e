"""One click ends it; looking at the link does not."""

import datetime as dt
from email.message import EmailMessage

from kit.ids import new_id
from tests.integration.notifications.conftest import Poste
from tests.integration.notifications.faits import annonce, correspondances, destinataire


def chemin(mail: EmailMessage) -> str:
    url = str(mail["List-Unsubscribe"]).strip("<>")
    return url.replace("https://place.exemple/desabonnement/", "/v1/desabonnements/")


async def alerter(poste: Poste, compte_id: str, profil_id: str, etat: str = "remis") -> str:
    de = annonce()
    await poste.publier(correspondances(de, destinataire(compte_id, profil_id)))
    await poste.dans_l_etat(etat, annonce_id=de.annonce_id)
    return de.annonce_id


async def test_une_lecture_ne_change_rien_un_envoi_arrete_l_alerte_suivante(poste: Poste) -> None:
    compte_id, adresse = await poste.inscrire()
    profil_id, visiteur = new_id(), {"Authorization": f"Bearer {poste.jeton('notifications')}"}
    annonce_id = await alerter(poste, compte_id, profil_id)
    lien = chemin(poste.boite.mails[adresse][0])

    vu = await poste.api.get(lien, headers=visiteur)
    assert vu.status_code == 200
    assert vu.json() == {
        "annonce": {"annonce_id": annonce_id, "titre": "Une camionnette pour déménager l’épicerie"},
        "profil_id": profil_id,
        "fait": False,
    }
    await alerter(poste, compte_id, profil_id)
    assert len(poste.boite.mails[adresse]) == 2

    for _ in range(2):
        fait = await poste.api.post(lien, headers=visiteur, data={"List-Unsubscribe": "One-Click"})
        assert (fait.status_code, fait.json()["fait"]) == (200, True)
    await alerter(poste, compte_id, profil_id, etat="annulee")
    assert len(poste.boite.mails[adresse]) == 2
    # Another profil of the same person still gets its alerts.
    await alerter(poste, compte_id, new_id())
    assert len(poste.boite.mails[adresse]) == 3


async def test_ce_qui_attend_son_heure_est_annule_par_le_clic(poste: Poste) -> None:
    compte_id, adresse = await poste.inscrire()
    profil_id, autre = new_id(), new_id()
    await alerter(poste, compte_id, profil_id)
    plus_tard = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    attend = {"etat": "en_file", "motif": "resume", "reprise_at": plus_tard, "resume_at": plus_tard}
    en_attente = {}
    for a in (profil_id, autre):
        en_attente[a] = await alerter(poste, compte_id, a)
        await poste.db.envois.update_one({"annonce_id": en_attente[a]}, {"$set": attend})
    lien = chemin(poste.boite.mails[adresse][0])
    await poste.api.post(lien, headers={"Authorization": f"Bearer {poste.jeton('notifications')}"})
    annulee = await poste.dans_l_etat("annulee", annonce_id=en_attente[profil_id])
    assert annulee["motif"] == "desabonne"
    assert "reprise_at" not in annulee
    reste = await poste.db.envois.find_one({"annonce_id": en_attente[autre]})
    assert reste is not None
    assert reste["etat"] == "en_file"


async def test_un_lien_contrefait_est_inconnu(poste: Poste) -> None:
    visiteur = {"Authorization": f"Bearer {poste.jeton('notifications')}"}
    for jeton in (f"{new_id()}.{new_id()}.{'A' * 43}", "n-importe-quoi"):
        reponse = await poste.api.post(f"/v1/desabonnements/{jeton}", headers=visiteur)
        assert reponse.status_code == 404
        assert reponse.headers["content-type"] == "application/problem+json"
