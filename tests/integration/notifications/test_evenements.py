"""What notifications tells the others: who was reached, who wants no more."""

from contracts.notifications import DesabonnementDemande, EnvoisRemis
from kit.ids import new_id
from tests.integration.notifications.conftest import Lire, Poste
from tests.integration.notifications.faits import annonce, correspondances, destinataire


async def test_chaque_personne_atteinte_est_nommee_une_fois(poste: Poste, lire: Lire) -> None:
    inscrits = [(await poste.inscrire())[0] for _ in range(3)]
    de, profils = annonce(), [new_id() for _ in inscrits]
    await poste.publier(correspondances(de, *map(destinataire, inscrits, profils)))
    for profil_id in profils:
        await poste.dans_l_etat("remis", profil_id=profil_id)
    nommes: list[str] = []
    for profil_id in profils:
        events = await lire(lambda e, p=profil_id: isinstance(e, EnvoisRemis) and p in e.profils)  # type: ignore[misc]  # a lambda with a default
        nommes += [p for event in events for p in event.profils if p == profil_id]
        assert {event.annonce_id for event in events} == {de.annonce_id}
    assert sorted(nommes) == sorted(profils)


async def test_un_desabonnement_est_dit_une_fois_si_souvent_qu_on_le_demande(poste: Poste, lire: Lire) -> None:
    compte_id, adresse = await poste.inscrire()
    profil_id = new_id()
    await poste.publier(correspondances(annonce(), destinataire(compte_id, profil_id)))
    ligne = await poste.dans_l_etat("remis", profil_id=profil_id)
    url = str(poste.boite.mails[adresse][0]["List-Unsubscribe"]).strip("<>")
    visiteur = {"Authorization": f"Bearer {poste.jeton('notifications')}"}
    for _ in range(3):
        await poste.api.post(f"/v1/desabonnements/{url.rpartition('/')[2]}", headers=visiteur)
    [event] = await lire(lambda e: isinstance(e, DesabonnementDemande) and e.profil_id == profil_id)
    assert event.envoi_id == ligne["_id"]
