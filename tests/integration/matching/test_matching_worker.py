"""From an annonce to the people whom it concerns, through real Kafka and MongoDB."""

import datetime as dt
import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer

from contracts.annonces import Annonce, AnnonceModifiee, AnnoncePubliee, AnnonceRetiree, EtatAnnonce
from contracts.commun import Lieu, Sens
from contracts.comptes import Compte, CompteEfface, EtatCompte
from contracts.matching import CorrespondancesTrouvees, EvenementProfil, Profil, ProfilEnregistre
from contracts.notifications import DesabonnementDemande
from kit.database import mongo
from kit.database.mongo import Database
from kit.messaging.deadletters import dead_letter_topic
from kit.messaging.events import Message
from kit.messaging.producer import Producer
from services.matching.index import Index
from services.matching.settings import Reglages

SYSTEME = frozenset({"systeme"})
pytestmark = pytest.mark.usefixtures("worker")


class Found:
    """What was published on matching.correspondance.v1 since the test began."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self._events: list[tuple[str, CorrespondancesTrouvees]] = []

    async def of(self, annonce: Annonce) -> list[CorrespondancesTrouvees]:
        for records in (await self._consumer.getmany(timeout_ms=50)).values():
            for record in records:
                event_id = dict(record.headers)["ce_id"].decode()
                self._events.append((event_id, CorrespondancesTrouvees.model_validate_json(record.value)))
        unique = {id_: event for id_, event in self._events if event.annonce.annonce_id == annonce.annonce_id}
        return list(unique.values())


@pytest.fixture
async def found(reglages: Reglages) -> AsyncIterator[Found]:
    topic = CorrespondancesTrouvees.topic
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=reglages.kafka_url, auto_offset_reset="latest")
    await consumer.start()
    await consumer.seek_to_end()
    for tp in consumer.assignment():
        await consumer.position(tp)
    yield Found(consumer)
    await consumer.stop()


@pytest.fixture
def base(reglages: Reglages) -> Database:
    return mongo.connect(reglages.mongo_url, "matching").db


@pytest.fixture
def abonner(api: Any, index: Index, lieu: dict[str, float], bientot: Any) -> Callable[..., Any]:
    """`await abonner(3, categories=[…])`: profils at the place of the test, in the index; gives their ids."""

    async def subscribe(count: int, **souhaits: Any) -> list[str]:
        rows = [
            {"profil_id": uuid.uuid4().hex, "compte_id": uuid.uuid4().hex, "sens": "besoin", **lieu, **souhaits}
            for _ in range(count)
        ]
        for start in range(0, count, 400):
            answer = await api("POST", "/v1/interne/profils", "", SYSTEME, json=rows[start : start + 400])
            assert answer.status_code == 201
        ids = [row["profil_id"] for row in rows]
        await bientot(lambda: all(id_ in index for id_ in ids))
        return ids

    return subscribe


async def marque(base: Database, annonce: Annonce, version: int) -> bool:
    """The worker has seen this version, or a later one."""
    row = await base.annonces.find_one({"_id": annonce.annonce_id})
    return row is not None and row["version"] >= version


async def test_qui_est_concerne_sait_pourquoi(
    abonner: Any, publier: Any, found: Found, publiee: Any, bientot: Any
) -> None:
    (exact,) = await abonner(1, categories=["vehicule-transport"], creneaux=["samedi-matin"])
    (vague,) = await abonner(1)
    await abonner(1, categories=["livres"])
    event = publiee()
    await publier(event)
    await bientot(lambda: found.of(event.annonce))
    (chunk,) = await found.of(event.annonce)
    assert [match.profil_id for match in chunk.destinataires] == [exact, vague]
    assert [raison.code for raison in chunk.destinataires[0].raisons] == ["distance", "creneau", "categorie"]


async def test_qui_a_plusieurs_profils_est_trouve_une_fois_et_une_nouvelle_version_ne_le_trouve_plus(
    abonner: Any, publier: Any, found: Found, publiee: Any, bientot: Any, base: Database
) -> None:
    compte_id = uuid.uuid4().hex
    (vague,) = await abonner(1, compte_id=compte_id)
    (exact,) = await abonner(1, compte_id=compte_id, categories=["vehicule-transport"], creneaux=["samedi-matin"])
    event = publiee()
    await publier(event)
    await bientot(lambda: found.of(event.annonce))
    (chunk,) = await found.of(event.annonce)
    [personne] = chunk.destinataires
    assert (personne.profil_id, personne.autres_profils) == (exact, [vague])
    assert [raison.code for raison in personne.raisons] == ["distance", "creneau", "categorie"]
    (encore,) = await abonner(1, compte_id=compte_id, categories=["vehicule-transport"])
    (nouveau,) = await abonner(1)
    await publier(AnnoncePubliee(annonce=event.annonce.model_copy(update={"version": 7})))

    async def both() -> bool:
        return len(await found.of(event.annonce)) == 2

    await bientot(both)
    later = max(await found.of(event.annonce), key=lambda chunk: chunk.annonce.version)
    assert [match.profil_id for match in later.destinataires] == [nouveau]
    assert encore not in later.model_dump_json()


async def test_une_annonce_datee_n_alerte_que_ceux_qui_sont_libres_ce_jour_la(
    abonner: Any, publier: Any, found: Found, publiee: Any, bientot: Any
) -> None:
    await abonner(1, creneaux=["mardi-matin"])
    (libre,) = await abonner(1, creneaux=["samedi-soir"])
    await abonner(1, mineur=True)
    event = publiee(date_debut=dt.date(2026, 12, 5), date_fin=dt.date(2026, 12, 5), creneaux=[])
    await publier(event)
    await bientot(lambda: found.of(event.annonce))
    (chunk,) = await found.of(event.annonce)
    assert [match.profil_id for match in chunk.destinataires] == [libre]


async def test_beaucoup_de_destinataires_viennent_en_lots_les_meilleurs_d_abord(
    abonner: Any, publier: Any, found: Found, publiee: Any, bientot: Any
) -> None:
    ids = await abonner(1203)
    event = publiee()
    await publier(event)

    async def complete() -> list[CorrespondancesTrouvees]:
        chunks = await found.of(event.annonce)
        return chunks if len(chunks) == 3 else []

    chunks = sorted(await bientot(complete), key=lambda chunk: chunk.lot)
    assert [(chunk.lot, chunk.lots, len(chunk.destinataires)) for chunk in chunks] == [
        (0, 3, 500),
        (1, 3, 500),
        (2, 3, 203),
    ]
    assert {match.profil_id for chunk in chunks for match in chunk.destinataires} == set(ids)


async def test_une_annonce_sans_alerte_est_appariee_avec_personne(
    abonner: Any, publier: Any, found: Found, publiee: Any, bientot: Any, base: Database
) -> None:
    await abonner(3)
    muette = publiee(sans_alerte=True)
    await publier(muette)

    async def appariee() -> Any:
        return await base.annonces.find_one({"_id": muette.annonce.annonce_id, "appariee": muette.annonce.version})

    # The reckoning sees that a search took place.
    await bientot(appariee)
    assert await base.correspondances.count_documents({"annonce_id": muette.annonce.annonce_id}) == 0
    assert await found.of(muette.annonce) == []


async def test_un_evenement_repete_ou_une_version_suivante_n_alerte_personne_deux_fois(
    abonner: Any, publier: Any, found: Found, publiee: Any, bientot: Any, base: Database
) -> None:
    (first,) = await abonner(1)
    event = publiee()
    event_id = uuid.uuid4().hex
    await publier(event, event_id)
    await bientot(lambda: found.of(event.annonce))
    await publier(event, event_id)
    (second,) = await abonner(1)
    again = AnnoncePubliee(annonce=event.annonce.model_copy(update={"version": 7}))
    await publier(again)

    async def both() -> bool:
        return len(await found.of(event.annonce)) == 2

    await bientot(both)
    assert [[match.profil_id for match in chunk.destinataires] for chunk in await found.of(event.annonce)] == [
        [first],
        [second],
    ]
    rows = [row async for row in base.correspondances.find({"annonce_id": event.annonce.annonce_id}).sort("version", 1)]
    assert [(row["version"], row["profils"]) for row in rows] == [(2, [first]), (7, [second])]


async def test_un_retrait_l_emporte_sur_la_publication_qu_il_a_depassee(
    abonner: Any, publier: Any, found: Found, publiee: Any, bientot: Any, base: Database
) -> None:
    await abonner(1)
    event = publiee()
    retiree = event.annonce.model_copy(update={"version": 3, "etat": EtatAnnonce.RETIREE})
    await publier(AnnonceRetiree(annonce=retiree))
    await bientot(lambda: marque(base, retiree, 3))
    event_id = uuid.uuid4().hex
    await publier(event, event_id)

    async def handled() -> bool:
        return await base.inbox.find_one({"_id": f"matching:{event_id}"}) is not None

    await bientot(handled)
    assert await base.correspondances.count_documents({"annonce_id": event.annonce.annonce_id}) == 0
    assert await found.of(event.annonce) == []


async def test_un_simple_changement_n_alerte_personne(
    abonner: Any, publier: Any, found: Found, publiee: Any, bientot: Any, base: Database
) -> None:
    await abonner(1)
    change = publiee().annonce.model_copy(update={"version": 4})
    await publier(AnnonceModifiee(annonce=change))
    await bientot(lambda: marque(base, change, 4))
    assert await base.correspondances.count_documents({"annonce_id": change.annonce_id}) == 0


async def test_qui_se_desabonne_ne_recoit_plus_rien(
    abonner: Any, publier: Any, found: Found, publiee: Any, bientot: Any, base: Database
) -> None:
    gone, stays = await abonner(2)
    await publier(DesabonnementDemande(envoi_id="e1", profil_id=gone, demande_at=dt.datetime.now(dt.UTC)))

    async def inactive() -> bool:
        return await base.profils.count_documents({"_id": gone, "actif": False}) == 1

    await bientot(inactive)
    event = publiee()
    await publier(event)
    await bientot(lambda: found.of(event.annonce))
    (chunk,) = await found.of(event.annonce)
    assert [match.profil_id for match in chunk.destinataires] == [stays]


async def profil(base: Database, profil_id: str) -> dict[str, Any]:
    found = await base.profils.find_one({"_id": profil_id})
    assert found is not None
    return found


async def test_un_compte_efface_ne_laisse_aucun_souhait(
    abonner: Any, publier: Any, bientot: Any, base: Database
) -> None:
    (profil_id,) = await abonner(1, categories=["livres"])
    compte_id = (await profil(base, profil_id))["compte_id"]
    compte = Compte(compte_id=compte_id, version=2, etat=EtatCompte.EFFACE, cree_at=dt.datetime.now(dt.UTC))
    await publier(CompteEfface(compte=compte))

    async def erased() -> bool:
        return await base.profils.count_documents({"compte_id": compte_id}) == 0

    await bientot(erased)
    left = await profil(base, profil_id)
    assert (left["actif"], left["categories"], left["lieu"]["lat"]) == (False, [], 0)


def bad_profil() -> bytes:
    """Well-formed, with a version that the index cannot hold."""
    lieu = Lieu(lat=50, lon=3)
    profil = Profil(
        profil_id=uuid.uuid4().hex,
        version=10**12,
        compte_id="c",
        sens=Sens.BESOIN,
        lieu=lieu,
        rayon_km=5,
        cree_at=dt.datetime.now(dt.UTC),
    )
    return ProfilEnregistre(profil=profil).model_dump_json().encode()


@pytest.mark.parametrize(
    ("topic", "poison"),
    [
        (AnnoncePubliee.topic, b'{"not": "an event"}'),
        (EvenementProfil.topic, b'{"not": "an event"}'),
        (EvenementProfil.topic, bad_profil()),
    ],
)
async def test_un_message_illisible_est_enterre_avec_ses_octets_et_le_suivant_traite(
    reglages: Reglages,
    abonner: Any,
    publier: Any,
    found: Found,
    publiee: Any,
    bientot: Any,
    topic: str,
    poison: bytes,
) -> None:
    poison += b" " * (uuid.uuid4().int % 10_000)  # another one than that of an earlier run
    producer = Producer(reglages.kafka_url)
    headers = {"ce_id": uuid.uuid4().hex, "ce_type": "AnnoncePubliee" if "annonce" in topic else "ProfilEnregistre"}
    await producer.publish([Message(topic, b"poison", poison, headers), Message(topic, b"nothing", None, {})])
    await producer.stop()

    buried = AIOKafkaConsumer(
        dead_letter_topic(topic, "matching"), bootstrap_servers=reglages.kafka_url, auto_offset_reset="earliest"
    )
    await buried.start()
    seen: dict[bytes | None, dict[str, bytes]] = {}

    async def has_it() -> bool:
        for records in (await buried.getmany(timeout_ms=50)).values():
            seen.update({record.value: dict(record.headers) for record in records})
        return poison in seen and None in seen

    await bientot(has_it)
    await buried.stop()
    assert seen[poison]["x-origin-topic"] == topic.encode()
    assert seen[poison]["x-reason"]

    (profil_id,) = await abonner(1)
    event = publiee()
    await publier(event)
    await bientot(lambda: found.of(event.annonce))
    assert [match.profil_id for chunk in await found.of(event.annonce) for match in chunk.destinataires] == [profil_id]
