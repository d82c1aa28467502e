"""The sum that SMS may cost in a month."""

import datetime as dt
from zoneinfo import ZoneInfo

from services.notifications.registre.queries import LedgerQueries
from tests.integration.notifications.abonne import abonner, numero
from tests.integration.notifications.conftest import Poste


def ce_mois() -> str:
    return dt.datetime.now(ZoneInfo("Europe/Paris")).strftime("%Y-%m")


async def test_ce_qui_est_remis_est_compte_par_parties(poste: Poste) -> None:
    qui, mois = await abonner(poste), ce_mois()
    await poste.parti(compte_id=qui.compte_id, genre="code_telephone")
    parties, centimes = await LedgerQueries(poste.db).depense(mois)
    await qui.est_alerte()
    en_plus, cout = await LedgerQueries(poste.db).depense(mois)
    assert en_plus - parties >= qui.recus[-1].parties
    assert round(cout - centimes, 6) == round((en_plus - parties) * poste.reglages.sms_centimes, 6)


async def test_le_budget_depense_les_alertes_par_sms_cessent_les_courriels_continuent_et_stop_est_confirme(
    poste: Poste,
) -> None:
    qui = await abonner(poste)
    plein = {"_id": f"{ce_mois()}:plein", "mois": ce_mois(), "parties": 0}
    await poste.db.depenses.insert_one({**plein, "centimes": poste.reglages.sms_plafond_euros * 100.0})
    try:
        de = await qui.aurait_une_alerte()
        ligne = await poste.dans_l_etat("annulee", annonce_id=de.annonce_id, canal="sms")
        assert ligne["motif"] == "plafond_sms"
        await poste.parti(annonce_id=de.annonce_id, canal="email")
        await qui.ecrit("STOP")
        await qui.lit("vous ne recevrez plus de SMS")
        assert not [sms for sms in qui.recus if "Besoin" in sms.texte]
        demande = {"compte_id": qui.compte_id, "numero": numero()}
        refus = await poste.api.post("/v1/interne/telephones", json=demande, headers=poste.systeme())
        assert refus.status_code == 409
        assert "mois prochain" in refus.json()["detail"]
    finally:
        await poste.db.depenses.delete_one({"_id": plein["_id"]})
