"""What notifications tells the others: who was reached, who wants no more."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer

from contracts.notifications import DesabonnementDemande, EnvoisRemis
from kit.ids import new_id
from tests.integration.notifications.conftest import Poste
from tests.integration.notifications.faits import annonce, correspondances, destinataire
from tests.serveurs import Serveurs

Lire = Callable[[Callable[[Any], bool]], Awaitable[list[Any]]]


@pytest.fixture
async def lire(serveurs: Serveurs, poste: Poste) -> AsyncIterator[Lire]:
    """`await lire(condition)`: all events so far that fulfil it, once there is one."""
    classes = {c.type_name(): c for c in (EnvoisRemis, DesabonnementDemande)}
    consumer = AIOKafkaConsumer(
        EnvoisRemis.topic, bootstrap_servers=serveurs.kafka_url, auto_offset_reset="earliest", group_id=None
    )
    await consumer.start()
    lus: list[Any] = []

    async def attendre(condition: Callable[[Any], bool]) -> list[Any]:
        async def trouves() -> list[Any]:
            for records in (await consumer.getmany(timeout_ms=200)).values():
                lus.extend(classes[dict(r.headers)["ce_type"].decode()].model_validate_json(r.value) for r in records)
            return [event for event in lus if condition(event)]

        resultat: list[Any] = await poste.bientot(trouves)
        return resultat

    yield attendre
    await consumer.stop()


async def test_each_person_who_was_reached_is_named_once(poste: Poste, lire: Lire) -> None:
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


async def test_an_unsubscription_is_told_once_however_often_it_is_asked(poste: Poste, lire: Lire) -> None:
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
