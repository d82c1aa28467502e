"""A relay that refuses us ends no message: all wait, sign-in codes too, and leave once it is mended."""

import pytest

from kit.ids import new_id
from tests.integration.notifications.conftest import Poste
from tests.integration.notifications.faits import annonce, correspondances, destinataire


@pytest.mark.parametrize(
    "reponse", ["550 5.4.5 Daily user sending quota exceeded", "530 5.7.0 Authentication required"]
)
async def test_un_relais_qui_nous_refuse_ne_perd_ni_alerte_ni_code(poste: Poste, reponse: str) -> None:
    alerte, chez_elle = await poste.inscrire()
    code, chez_lui = new_id(), f"{new_id()[:12]}@exemple.fr"
    poste.boite.refuser_tout(reponse)
    try:
        await poste.publier(correspondances(annonce(), destinataire(alerte)))
        demande = {"compte_id": code, "email": chez_lui, "code": "123456"}
        envoyee = await poste.api.post("/v1/interne/codes", json=demande, headers=poste.systeme())
        assert envoyee.status_code == 202
        for compte_id in (alerte, code):
            await poste.dans_l_etat("echec_temporaire", compte_id=compte_id, motif="nous_refuse")
    finally:
        poste.boite.refuser_tout(None)
    for compte_id, adresse in ((alerte, chez_elle), (code, chez_lui)):
        ligne = await poste.dans_l_etat("remis", compte_id=compte_id)
        assert ligne["tentatives"] == 1
        assert len(poste.boite.mails[adresse]) == 1
