"""An address leaves notifications for annonces alone, at the moment when its owner shares it."""

from collections.abc import Callable

from kit.ids import new_id
from tests.integration.notifications.conftest import Poste


async def test_annonces_seul_apprend_l_adresse_que_quelqu_un_partage(
    poste: Poste, jeton_de: Callable[[str, str], str]
) -> None:
    compte_id, adresse = await poste.inscrire()
    chemin = f"/v1/interne/coordonnees/{compte_id}"
    annonces = {"Authorization": f"Bearer {jeton_de('annonces', 'notifications')}"}
    lue = await poste.api.get(f"{chemin}/adresse", headers=annonces)
    assert (lue.status_code, lue.json()) == (200, {"valeur": adresse})
    assert (await poste.api.get(f"{chemin}/numero", headers=annonces)).status_code == 404
    assert (await poste.api.get(f"/v1/interne/coordonnees/{new_id()}/adresse", headers=annonces)).status_code == 404
    assert (await poste.api.get(f"{chemin}/adresse", headers=poste.comme(compte_id))).status_code == 403
    assert (await poste.api.get("/v1/mes/preferences", headers=annonces)).status_code == 403
