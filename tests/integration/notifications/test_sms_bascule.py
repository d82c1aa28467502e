"""Two providers of SMS: what one does not take, the other does."""

import datetime as dt

from tests.integration.notifications.abonne import abonner
from tests.integration.notifications.conftest import Poste
from tests.integration.notifications.faits import annonce, correspondances, destinataire


async def test_who_is_too_busy_is_passed_over_without_a_failed_attempt(poste: Poste) -> None:
    qui = await abonner(poste)
    pannes = poste.operateurs.fournisseur.pannes
    pannes.remplacer({"limiter": 10**6, "delai_recus_ms": 0})
    try:
        for _ in range(5):
            de = await qui.est_alerte()
            ligne = await poste.ligne(annonce_id=de.annonce_id, canal="sms")
            assert (ligne["fournisseur"], ligne["tentatives"]) == ("smpp", 1)
    finally:
        pannes.remplacer({"delai_recus_ms": 0})


async def test_when_one_is_away_the_other_takes_all_and_the_change_of_weights_is_recorded(poste: Poste) -> None:
    qui = await abonner(poste)
    debut = dt.datetime.now(dt.UTC)
    await poste.operateurs.smsc.fermer()
    try:
        annonces = [annonce() for _ in range(40)]
        for de in annonces:
            await poste.publier(correspondances(de, destinataire(qui.compte_id, qui.profil_id)))
        for de in annonces:
            ligne = await poste.parti(annonce_id=de.annonce_id, canal="sms")
            assert ligne["fournisseur"] == "http"

        async def recorded() -> object:
            return await poste.db.bascules.find_one({"at": {"$gte": debut}, "de": "smpp", "vers": "http"})

        bascule = await poste.bientot(recorded)
        assert bascule["raison"] in ("muet", "erreurs")
        assert sum(bascule["poids"].values()) == 100
        assert len([sms for sms in qui.recus if "Besoin" in sms.texte]) == len(annonces)
    finally:
        await poste.operateurs.ouvrir_smsc()
    # It is back, and what people send there arrives.
    await qui.ecrit("AIDE")
    await qui.lit("répondez aux alertes par OUI")
