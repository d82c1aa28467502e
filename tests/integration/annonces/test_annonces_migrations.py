"""Annonces as earlier versions stored them, brought to this one."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from contracts.annonces import AnnonceModifiee, EtatAnnonce
from contracts.commun import Auteur, Lieu, Nature, Sens, TypeAuteur
from kit.clock import SystemClock
from kit.database.migrations import migrate
from kit.database.mongo import Mongo, connect
from kit.ids import new_id
from kit.messaging.outbox import Outbox
from kit.messaging.producer import Producer
from services.annonces.domain import Fiche
from services.annonces.schema import SCHEMA
from services.annonces.store import annonce_de, bson
from tests.serveurs import Serveurs
from tests.unit.annonces.fabrique import fiche

EXACT = Lieu(quartier="fives", lat=50.63712, lon=3.06345)
ROND = {"quartier": "fives", "lat": 50.64, "lon": 3.06}


@pytest.fixture
async def mongo(serveurs: Serveurs) -> AsyncIterator[Mongo]:
    mongo = connect(serveurs.mongo_url, f"annonces_avant_{new_id()[:12]}")
    yield mongo
    await mongo.client.drop_database(mongo.db.name)
    mongo.close()


def ancienne(type_: TypeAuteur, etat: EtatAnnonce) -> dict[str, Any]:
    """A row with an exact place; only `position` was rounded, for the search."""
    auteur = Auteur(
        type=type_,
        compte_id="c1",
        association_id="a1" if type_ is TypeAuteur.ASSOCIATION else None,
        nom=None if type_ is TypeAuteur.PARTICULIER else "Les Jardins",
    )
    lue: Fiche = fiche(etat)
    annonce = lue.annonce.model_copy(
        update={"annonce_id": new_id(), "auteur": auteur, "lieu": EXACT, "sens": Sens.OFFRE, "nature": Nature.MATERIEL}
    )
    return {
        "_id": annonce.annonce_id,
        **bson(annonce),
        "version_deposee": 5,
        "motifs": [],
        "alertes": 4,
        "position": {"type": "Point", "coordinates": [3.06, 50.64]},
    }


class Sourd(Producer):
    """Kafka is away: what is told stays in the outbox, where the test reads it."""

    async def publish(self, messages: object) -> None:
        raise ConnectionError


async def test_le_lieu_exact_d_un_particulier_est_arrondi_et_redit(mongo: Mongo, serveurs: Serveurs) -> None:
    en_ligne = ancienne(TypeAuteur.PARTICULIER, EtatAnnonce.PUBLIEE)
    attend = ancienne(TypeAuteur.PARTICULIER, EtatAnnonce.DEPOSEE)
    association = ancienne(TypeAuteur.ASSOCIATION, EtatAnnonce.PUBLIEE)
    await mongo.db.annonces.insert_many([en_ligne, attend, association])
    outbox = Outbox(mongo, Sourd(serveurs.kafka_url), SystemClock(), "annonces")
    await migrate(mongo.db, outbox, SCHEMA)
    await outbox.settle()

    apres = {row["_id"]: row async for row in mongo.db.annonces.find()}
    assert apres[en_ligne["_id"]] == {**en_ligne, "lieu": ROND, "version": 6}
    assert apres[attend["_id"]] == {**attend, "lieu": ROND}
    assert apres[association["_id"]] == association
    (dit,) = [row async for row in mongo.db.outbox.find()]
    assert dit["headers"]["ce_type"] == AnnonceModifiee.type_name()
    event = AnnonceModifiee.model_validate_json(dit["value"])
    assert (event.annonce.annonce_id, event.annonce.version) == (en_ligne["_id"], 6)
    assert event.annonce.lieu.model_dump() == ROND


def test_ce_qu_un_processus_d_avant_depose_encore_est_lu_arrondi() -> None:
    row = ancienne(TypeAuteur.PARTICULIER, EtatAnnonce.PUBLIEE)
    assert annonce_de(row).lieu.model_dump() == ROND
