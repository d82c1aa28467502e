"""Digests: what waited for the hour of a profil is one mail, the best first."""

import datetime as dt
from typing import Any

from contracts.annonces import AnnoncePourvue, EtatAnnonce
from contracts.matching import CorrespondancesTrouvees, Destinataire
from kit.ids import new_id
from tests.integration.notifications.conftest import Poste
from tests.integration.notifications.faits import RAISONS, annonce
from tests.integration.notifications.test_preferences import choisir


async def un_par_jour(poste: Poste, **autres: Any) -> tuple[str, str, str]:
    """Somebody with a daily profil: (compte_id, address, profil_id)."""
    compte_id, adresse = await poste.inscrire()
    profil_id = new_id()
    reponse = await choisir(poste, compte_id, 0, cadences={profil_id: "quotidien"}, **autres)
    assert reponse.status_code == 200, reponse.text
    return compte_id, adresse, profil_id


async def trouver(poste: Poste, compte_id: str, profil_id: str, score: int = 50, **autres: Any) -> Any:
    """A match that waits for the digest."""
    de = annonce(**autres)
    qui = Destinataire(profil_id=profil_id, compte_id=compte_id, distance_m=1234, score=score, raisons=RAISONS)
    await poste.publier(CorrespondancesTrouvees(annonce=de, lot=0, lots=1, destinataires=[qui]))
    await poste.dans_l_etat("en_file", annonce_id=de.annonce_id, version=de.version, motif="resume")
    return de


async def c_est_l_heure(poste: Poste, profil_id: str) -> None:
    now = dt.datetime.now(dt.UTC)
    due = {"resume_at": now, "reprise_at": now}
    await poste.db.envois.update_many({"profil_id": profil_id, "etat": "en_file"}, {"$set": due})


async def test_ce_qui_attendait_fait_un_courriel_les_meilleures_d_abord(poste: Poste) -> None:
    compte_id, adresse, profil_id = await un_par_jour(poste)
    moyen = await trouver(poste, compte_id, profil_id, 50, titre="Un vélo cargo")
    meilleur = await trouver(poste, compte_id, profil_id, 90, titre="Une salle de danse")
    dernier = await trouver(poste, compte_id, profil_id, 10, titre="Des chaises")
    assert not poste.boite.mails[adresse]
    await c_est_l_heure(poste, profil_id)
    resume = await poste.dans_l_etat("remis", compte_id=compte_id, genre="resume")
    [mail] = poste.boite.mails[adresse]
    assert "3 annonces pour vous" in mail["Subject"]
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    for part in mail.iter_parts():
        rendu = part.get_content()
        places = [rendu.index(titre) for titre in ("Une salle de danse", "Un vélo cargo", "Des chaises")]
        assert places == sorted(places)
        assert f"https://place.exemple/annonces/{meilleur.annonce_id}" in rendu
    for de in (moyen, meilleur, dernier):
        ligne = await poste.dans_l_etat("regroupee", annonce_id=de.annonce_id)
        assert ligne["resume_id"] == resume["_id"]
        assert "reprise_at" not in ligne


async def test_ce_qui_est_pourvu_ou_decline_est_laisse_et_l_urgent_n_attend_jamais(poste: Poste) -> None:
    compte_id, adresse, profil_id = await un_par_jour(poste)
    pourvue = await trouver(poste, compte_id, profil_id, titre="Déjà trouvée")
    declinee = await trouver(poste, compte_id, profil_id, titre="Pas pour moi")
    ouverte = await trouver(poste, compte_id, profil_id, titre="Encore ouverte")
    close = pourvue.model_copy(update={"version": 3, "etat": EtatAnnonce.POURVUE, "places_restantes": 0})
    await poste.publier(AnnoncePourvue(annonce=close))
    await poste.dans_l_etat("annulee", annonce_id=pourvue.annonce_id, motif="annonce_close")
    # Said elsewhere than through a link of ours: the row still waits.
    await poste.db.contacts.update_one({"_id": compte_id}, {"$set": {"preferences.refus": [declinee.annonce_id]}})
    urgente = annonce(titre="Tout de suite", urgent=True)
    qui = Destinataire(profil_id=profil_id, compte_id=compte_id, distance_m=1, score=1, raisons=RAISONS)
    await poste.publier(CorrespondancesTrouvees(annonce=urgente, lot=0, lots=1, destinataires=[qui]))
    await poste.dans_l_etat("remis", annonce_id=urgente.annonce_id)
    await c_est_l_heure(poste, profil_id)
    await poste.dans_l_etat("remis", compte_id=compte_id, genre="resume")
    assert (await poste.dans_l_etat("annulee", annonce_id=declinee.annonce_id))["motif"] == "annonce_declinee"
    await poste.dans_l_etat("regroupee", annonce_id=ouverte.annonce_id)
    sujets = [mail["Subject"] for mail in poste.boite.mails[adresse]]
    assert len(sujets) == 2
    assert "Tout de suite" in sujets[0]
    assert "Une annonce pour vous" in sujets[1]


async def test_d_une_annonce_modifiee_seule_la_derniere_version_est_dite(poste: Poste) -> None:
    compte_id, adresse, profil_id = await un_par_jour(poste)
    de = await trouver(poste, compte_id, profil_id, titre="Deux tables")
    await trouver(poste, compte_id, profil_id, titre="Trois tables", annonce_id=de.annonce_id, version=3)
    await c_est_l_heure(poste, profil_id)
    await poste.dans_l_etat("remis", compte_id=compte_id, genre="resume")
    [mail] = poste.boite.mails[adresse]
    texte = next(iter(mail.iter_parts())).get_content()
    assert "Trois tables" in texte
    assert "Deux tables" not in texte
    assert (await poste.dans_l_etat("annulee", annonce_id=de.annonce_id, version=2))["motif"] == "resume"


async def test_pas_de_resume_s_il_ne_reste_rien_pendant_une_pause_ou_sans_consentement(poste: Poste) -> None:
    dans_un_mois = (dt.datetime.now(dt.UTC) + dt.timedelta(days=30)).isoformat()
    compte_id, adresse, profil_id = await un_par_jour(poste)
    de = await trouver(poste, compte_id, profil_id)
    assert (await choisir(poste, compte_id, 1, pause_jusqua=dans_un_mois)).status_code == 200
    await c_est_l_heure(poste, profil_id)
    assert (await poste.dans_l_etat("annulee", annonce_id=de.annonce_id))["motif"] == "pause"

    sans, chez_sans, profil_sans = await un_par_jour(poste)
    await trouver(poste, sans, profil_sans)
    retrait = {"canal": "email", "accorde": False, "preuve": "case décochée", "at": "2027-01-01T10:00:00Z"}
    corps = {"consentements": [retrait], "version": 2}
    assert (await poste.api.put(f"/v1/interne/contacts/{sans}", json=corps, headers=poste.systeme())).status_code == 204
    await c_est_l_heure(poste, profil_sans)
    resume = await poste.dans_l_etat("sans_consentement", compte_id=sans, genre="resume")
    assert resume["motif"] == "consentement_absent"
    assert await poste.db.envois.count_documents({"compte_id": compte_id, "genre": "resume"}) == 0
    assert not poste.boite.mails[adresse]
    assert not poste.boite.mails[chez_sans]
