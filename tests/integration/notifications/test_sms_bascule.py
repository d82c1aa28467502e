"""Two providers of SMS: what one does not take, the other does."""

import datetime as dt

from tests.integration.notifications.abonne import abonner
from tests.integration.notifications.conftest import Poste
from tests.integration.notifications.faits import annonce, correspondances, destinataire


async def test_un_fournisseur_trop_occupe_est_evite_sans_essai_manque(poste: Poste) -> None:
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


async def test_quand_l_un_manque_l_autre_prend_tout_et_le_changement_est_note(poste: Poste) -> None:
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
