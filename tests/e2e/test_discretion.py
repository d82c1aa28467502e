"""No address and no number outside of the vault: what a whole run leaves in logs, events, metrics and databases."""

import secrets
from pathlib import Path

import pytest

from contracts import topics
from deploy.bilan.topic_reader import records
from deploy.client import Client
from deploy.stack.processes import replicas
from kit.database import mongo
from kit.messaging.deadletters import dead_letter_topic, retry_topic
from tests.pile import Ville, annonce, profil

pytestmark = pytest.mark.e2e


async def test_ni_adresse_ni_numero_dans_les_journaux_les_evenements_les_mesures_ou_les_bases(ville: Ville) -> None:
    responsable, benevole = await ville.entrer("responsable"), await ville.entrer("benevole")
    association = await ville.association(responsable, confiance=True)
    await benevole.post("/v1/profils", profil("livres"))
    numero = await ville.donner_un_numero(benevole)
    await ville.index_a_jour()
    titre = f"Des livres {secrets.token_hex(4)}"
    await responsable.post("/v1/annonces", annonce(association, titre, "livres"))
    await ville.alertes(titre, 1)
    await ville.sms(numero, titre)
    await ville.telephones.repondre(numero, "OUI")
    await ville.sms(numero, "Merci")
    await ville.telephones.repondre(numero, "STOP")
    await ville.sms(numero, "plus de SMS")

    traces = {ville.suffixe.encode(), numero.encode(), numero[1:].encode(), b"0" + numero[3:].encode()}
    assert [lieu for lieu, contenu in _journaux(ville.stack.layout.logs) if _vu(contenu, traces)] == []
    assert await _evenements(ville.kafka, traces) == []
    assert [nom for nom, _ in replicas({}) if _vu(await _mesures(ville, nom), traces)] == []
    assert await _bases(ville.stack.urls()["MONGO_URL"], traces) == []


def _vu(contenu: bytes, traces: set[bytes]) -> bool:
    return any(trace in contenu for trace in traces)


def _journaux(dossier: Path) -> list[tuple[str, bytes]]:
    """Of the system; the catcher and the operators stand for the outside world, which knows whom it delivers to."""
    fichiers = [fichier for fichier in dossier.iterdir() if fichier.is_file()]
    assert any(fichier.name.startswith("notifications-worker") for fichier in fichiers)
    return [(fichier.name, fichier.read_bytes()) for fichier in fichiers]


async def _evenements(kafka: str, traces: set[bytes]) -> list[str]:
    noms = [topic.name for topic in topics.TOPICS]
    cotes = [
        cote(topic.name, lecteur)
        for topic in topics.TOPICS
        for lecteur in topic.readers
        for cote in (retry_topic, dead_letter_topic)
    ]
    return [
        record.topic
        async for record in records(kafka, noms + cotes)
        if _vu((record.key or b"") + (record.value or b"") + str(record.headers).encode(), traces)
    ]


async def _mesures(ville: Ville, nom: str) -> bytes:
    return str(await Client(ville.http, ville.stack.health_url(nom)).get("/metrics")).encode()


async def _bases(mongo_url: str, traces: set[bytes]) -> list[str]:
    """Every document of every service, as it is stored."""
    found = []
    for service in ("annonces", "moderation", "matching", "notifications", "gateway"):
        store = mongo.connect(mongo_url, service)
        try:
            for nom in await store.db.list_collection_names():
                async for document in store.db[nom].find():
                    if _vu(repr(document).encode(), traces):
                        found.append(f"{service}.{nom}")
        finally:
            store.close()
    return sorted(set(found))
