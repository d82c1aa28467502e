"""The links of an alert: looking changes nothing, each new word is told once."""

import datetime as dt
import re
from typing import Any

from contracts.annonces import Circonstances, CirconstancesChangees, EtatReponse, Reponse
from contracts.commun import Lieu
from contracts.notifications import Canal, Intention, ReponseParMessage
from kit.ids import new_id
from services.notifications.domain import Genre
from services.notifications.messages.signed_links import Lien, Liens, Usage
from tests.integration.notifications.conftest import Lire, Poste
from tests.integration.notifications.faits import annonce, correspondances, destinataire


async def lien_recu(poste: Poste) -> tuple[str, dict[str, Any]]:
    """The path of the link in an alert's mail, and the row of the alert."""
    compte_id, adresse = await poste.inscrire()
    await poste.publier(correspondances(annonce(), destinataire(compte_id)))
    ligne = await poste.dans_l_etat("remis", compte_id=compte_id)
    texte = next(iter(poste.boite.mails[adresse][0].iter_parts())).get_content()
    jetons = re.findall(r"([\w-]+\.[\w-]+\.[\w-]{43})", texte)
    liens = Liens(poste.reglages.cle_liens)
    [jeton] = {jeton for jeton in jetons if liens.lire(jeton, Usage.REPONSE)}
    return f"/v1/reponses-par-lien/{jeton}", ligne


async def dire(poste: Poste, chemin: str, intention: str, quantite: int = 1) -> int:
    corps = {"intention": intention, "quantite": quantite}
    return (await poste.api.post(chemin, json=corps, headers=poste.comme())).status_code


async def test_regarder_le_lien_ne_change_rien_et_dit_de_quoi_il_s_agit(poste: Poste) -> None:
    chemin, ligne = await lien_recu(poste)
    for _ in range(3):
        vue = await poste.api.get(chemin, headers=poste.comme())
        assert vue.json() == {
            "annonce": {"annonce_id": ligne["annonce_id"], "titre": ligne["titre"]},
            "intentions": ["repondre", "refuser"],
            "fait": None,
        }
    assert await poste.ligne(_id=ligne["_id"]) == ligne


async def test_oui_deux_fois_non_deux_fois_puis_oui_font_trois_reponses(poste: Poste, lire: Lire) -> None:
    chemin, ligne = await lien_recu(poste)
    mots = [("repondre", 2), ("repondre", 2), ("refuser", 1), ("refuser", 1), ("repondre", 1)]
    assert [await dire(poste, chemin, *mot) for mot in mots] == [202] * 5
    assert (await poste.api.get(chemin, headers=poste.comme())).json()["fait"] == "repondre"

    def les_siens(event: Any) -> bool:
        return isinstance(event, ReponseParMessage) and event.compte_id == ligne["compte_id"]

    # Of one annonce, events come in their order: with the third everything is there.
    await lire(lambda e: les_siens(e) and e.intention is Intention.REPONDRE and e.quantite == 1)
    events = await lire(les_siens)
    assert [(e.intention, e.quantite) for e in events] == [
        (Intention.REPONDRE, 2),
        (Intention.ANNULER, 1),
        (Intention.REPONDRE, 1),
    ]
    assert {e.annonce_id for e in events} == {ligne["annonce_id"]}
    assert {e.canal for e in events} == {Canal.EMAIL}
    assert len({e.reponse_id for e in events}) == 3


async def test_refuser_ce_besoin_arrete_ses_versions_jusqu_a_un_oui(poste: Poste) -> None:
    chemin, ligne = await lien_recu(poste)
    assert await dire(poste, chemin, "refuser") == 202
    suite = annonce(annonce_id=ligne["annonce_id"], version=3)
    await poste.publier(correspondances(suite, destinataire(ligne["compte_id"], ligne["profil_id"])))
    suivante = await poste.dans_l_etat("annulee", annonce_id=ligne["annonce_id"], version=3)
    assert suivante["motif"] == "annonce_declinee"
    autre = annonce()
    await poste.publier(correspondances(autre, destinataire(ligne["compte_id"], ligne["profil_id"])))
    await poste.dans_l_etat("remis", annonce_id=autre.annonce_id)
    vue = (await poste.api.get("/v1/mes/preferences", headers=poste.comme(ligne["compte_id"]))).json()
    assert vue["refus"] == [ligne["annonce_id"]]
    assert await dire(poste, chemin, "repondre") == 202
    vue = (await poste.api.get("/v1/mes/preferences", headers=poste.comme(ligne["compte_id"]))).json()
    assert vue["refus"] == []


async def test_un_lien_contrefait_ou_pour_autre_chose_est_inconnu(poste: Poste) -> None:
    chemin, ligne = await lien_recu(poste)
    lien = Lien(ligne["_id"], ligne["profil_id"])
    liens = Liens(poste.reglages.cle_liens)
    desabonnement = liens.signer(lien)
    inconnu = liens.signer(Lien(new_id(), ligne["profil_id"]), Usage.REPONSE)
    for jeton in (desabonnement, inconnu, f"{new_id()}.{new_id()}.{'A' * 43}", "n-importe-quoi"):
        mauvais = f"/v1/reponses-par-lien/{jeton}"
        assert (await poste.api.get(mauvais, headers=poste.comme())).status_code == 404
        assert await dire(poste, mauvais, "repondre") == 404
    assert await dire(poste, chemin, "peut-etre") == 422
    assert await dire(poste, chemin, "repondre", 0) == 422
    assert "reponse" not in await poste.ligne(_id=ligne["_id"], genre=Genre.ALERTE.value)


async def test_apres_un_changement_le_lien_demande_si_cela_tient_toujours(poste: Poste, lire: Lire) -> None:
    compte_id, adresse = await poste.inscrire()
    reponse = Reponse(
        reponse_id=new_id(),
        version=2,
        etat=EtatReponse.ACCEPTEE,
        annonce_id=new_id(),
        annonce_titre="Une camionnette pour un samedi",
        quantite=1,
        compte_id=compte_id,
        destinataires=[new_id()],
        deposee_at=dt.datetime.now(dt.UTC),
    )
    lieu = Lieu(quartier="fives", lat=50.63, lon=3.09)
    avant = Circonstances(date_debut=dt.date(2027, 3, 13), lieu=lieu)
    apres = Circonstances(date_debut=dt.date(2027, 3, 14), lieu=lieu)
    change = CirconstancesChangees(reponse=reponse, changees_at=dt.datetime.now(dt.UTC), avant=avant, apres=apres)
    await poste.publier(change)
    await poste.dans_l_etat("remis", compte_id=compte_id, genre=Genre.CIRCONSTANCES_CHANGEES.value)
    [mail] = poste.boite.mails[adresse]
    partie = mail.get_body(("plain",))
    assert partie is not None
    texte = partie.get_content()
    assert "13 mars 2027" in texte
    assert "14 mars 2027" in texte
    [jeton] = set(re.findall(r"([\w-]+\.[\w-]+\.[\w-]{43})", texte))
    chemin = f"/v1/reponses-par-lien/{jeton}"
    vue = (await poste.api.get(chemin, headers=poste.comme())).json()
    assert (vue["changement"], vue["annonce"]["annonce_id"]) == (True, reponse.annonce_id)
    assert await dire(poste, chemin, "refuser") == 202
    [event] = await lire(lambda e: isinstance(e, ReponseParMessage) and e.compte_id == compte_id)
    assert (event.annonce_id, event.intention) == (reponse.annonce_id, Intention.ANNULER)
