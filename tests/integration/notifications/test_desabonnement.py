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


async def test_a_get_changes_nothing_a_post_stops_the_next_alert(poste: Poste) -> None:
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


async def test_what_waits_for_its_hour_is_cancelled_by_the_click(poste: Poste) -> None:
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


async def test_a_forged_link_is_unknown(poste: Poste) -> None:
    visiteur = {"Authorization": f"Bearer {poste.jeton('notifications')}"}
    for jeton in (f"{new_id()}.{new_id()}.{'A' * 43}", "n-importe-quoi"):
        reponse = await poste.api.post(f"/v1/desabonnements/{jeton}", headers=visiteur)
        assert reponse.status_code == 404
        assert reponse.headers["content-type"] == "application/problem+json"


async def test_ce_qui_attend_continue_au_nom_d_un_autre_profil_de_la_meme_personne(poste: Poste) -> None:
    compte_id, adresse = await poste.inscrire()
    premier, second, troisieme = new_id(), new_id(), new_id()
    await alerter(poste, compte_id, premier)
    lien = chemin(poste.boite.mails[adresse][0])
    de, plus_tard = annonce(), dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    await poste.publier(correspondances(de, destinataire(compte_id, premier, second, troisieme)))
    await poste.dans_l_etat("remis", annonce_id=de.annonce_id)
    # As if it had come in the hours in which nothing is sent.
    attend = {"etat": "en_file", "motif": "resume", "reprise_at": plus_tard, "resume_at": plus_tard}
    await poste.db.envois.update_one({"annonce_id": de.annonce_id}, {"$set": attend})
    await poste.api.post(lien, headers={"Authorization": f"Bearer {poste.jeton('notifications')}"})
    ligne = await poste.db.envois.find_one({"annonce_id": de.annonce_id})
    assert ligne is not None
    assert (ligne["etat"], ligne["profil_id"], ligne["autres_profils"]) == ("en_file", second, [troisieme])


async def test_un_profil_arrete_n_est_plus_celui_au_nom_de_qui_l_on_ecrit(poste: Poste) -> None:
    compte_id, adresse = await poste.inscrire()
    premier, second = new_id(), new_id()
    await alerter(poste, compte_id, premier)
    await poste.api.post(
        chemin(poste.boite.mails[adresse][0]), headers={"Authorization": f"Bearer {poste.jeton('notifications')}"}
    )
    de = annonce()
    await poste.publier(correspondances(de, destinataire(compte_id, premier, second)))
    ligne = await poste.dans_l_etat("remis", annonce_id=de.annonce_id)
    assert ligne["profil_id"] == second
    assert len(poste.boite.mails[adresse]) == 2
