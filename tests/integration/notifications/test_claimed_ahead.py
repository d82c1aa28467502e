"""Mails are claimed with their insertion; what does not leave before the end of its process is nobody's loss."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import pytest

from contracts.envois import Etat
from contracts.notifications import Canal
from kit.clock import SystemClock
from kit.database.mongo import Mongo, Session, connect
from kit.ids import new_id
from kit.messaging.outbox import Outbox
from services.notifications import domain
from services.notifications.canaux.base import Colis, Injoignable, Issue
from services.notifications.delivery.claimed_ahead import Lot
from services.notifications.delivery.deliverer import Deliverer
from services.notifications.domain import Genre
from services.notifications.planning.channel_rules import SansRegles
from services.notifications.registre.rows import Ligne
from services.notifications.registre.store import Registre
from tests.integration.notifications.conftest import Poste
from tests.serveurs import Serveurs


class Absent:
    """A channel whose provider is away."""

    def __init__(self, nom: Canal) -> None:
        self.nom = nom

    def connexion(self) -> "Absent":
        return self

    async def preparer(self) -> None:
        raise Injoignable("absent")

    async def remettre(self, colis: Sequence[Colis], tenu: Callable[[], bool]) -> list[Issue]:
        raise AssertionError("nothing is handed over")

    async def fermer(self) -> None:
        return


@pytest.fixture
async def lignes(poste: Poste, registre: Registre) -> AsyncIterator[list[Ligne]]:
    contenu_id = new_id()
    yield [registre.ligne(new_id(), Genre.CODE, Canal.EMAIL, new_id(), contenu_id, 1) for _ in range(40)]
    await poste.db.envois.delete_many({"contenu_id": contenu_id})


@pytest.fixture
async def mongo(serveurs: Serveurs) -> AsyncIterator[Mongo]:
    mongo = connect(serveurs.mongo_url, "notifications")
    yield mongo
    mongo.close()


def deliverer(canal: Canal, mongo: Mongo, outbox: Outbox | None = None) -> Deliverer:
    # What serves the hand-off is missing: there is none.
    sans: Any = None
    clock = SystemClock()
    registre = Registre(mongo.db, clock)
    return Deliverer(Absent(canal), registre, mongo, sans, sans, outbox or sans, clock, 8, SansRegles())


async def reserver(seul: Deliverer, mongo: Mongo, lignes: list[Ligne]) -> list[Lot]:
    """Claims and inserts, as an event does."""

    async def work(session: Session) -> list[Lot]:
        lots = await seul.claim_ahead(lignes, None, session)
        await mongo.db.envois.insert_many(lignes, session=session)
        return lots

    return await mongo.transaction(work)


async def test_chaque_lot_est_pris_a_part_et_un_sms_jamais_d_avance(mongo: Mongo, lignes: list[Ligne]) -> None:
    sans: Any = None
    assert await deliverer(Canal.SMS, mongo).claim_ahead(lignes, None, sans) == []
    assert {ligne["etat"] for ligne in lignes} == {Etat.EN_FILE.value}
    lots = await reserver(deliverer(Canal.EMAIL, mongo), mongo, lignes)
    assert sum(len(lot.lignes) for lot in lots) == len(lignes)
    assert max(len(lot.lignes) for lot in lots) <= domain.LOT_MAX[Canal.EMAIL]
    assert {ligne["etat"] for ligne in lignes} == {Etat.REMISE.value}
    assert {ligne["lot"] for ligne in lignes} == {lot.id for lot in lots}
    # Each has its lease: without one, nobody would ever find what a kill leaves of it.
    baux = {bail["_id"]: bail["envoi_ids"] async for bail in mongo.db.baux.find({"_id": {"$in": [p.id for p in lots]}})}
    assert baux == {lot.id: [ligne["_id"] for ligne in lot.lignes] for lot in lots}


async def test_rien_n_est_pris_d_avance_qui_ne_parte_a_temps(mongo: Mongo, lignes: list[Ligne]) -> None:
    sans: Any = None
    plein = deliverer(Canal.EMAIL, mongo)
    plein.take_claimed([Lot(new_id(), [dict(ligne) for _ in range(domain.AVANCE_MAX) for ligne in lignes[:1]])])
    assert await plein.claim_ahead(lignes, None, sans) == []
    assert {ligne["etat"] for ligne in lignes} == {Etat.EN_FILE.value}


async def test_ce_qui_attend_un_relais_absent_est_rendu_a_la_fin(
    poste: Poste, mongo: Mongo, lignes: list[Ligne]
) -> None:
    seul = deliverer(Canal.EMAIL, mongo, Outbox(mongo, poste.producer, SystemClock(), "test"))
    seul.take_claimed(await reserver(seul, mongo, lignes))
    stopping = asyncio.Event()
    tourne = asyncio.create_task(seul.run(stopping))
    await asyncio.sleep(0)
    stopping.set()
    await tourne
    # The worker of these tests takes them up, and finds nobody behind them: their first attempt, not one after a crash.
    for ligne in lignes:
        vue = await poste.dans_l_etat(Etat.SANS_CONSENTEMENT.value, _id=ligne["_id"])
        assert vue["tentatives"] == 1
    assert await mongo.db.baux.count_documents({"envoi_ids": {"$in": [ligne["_id"] for ligne in lignes]}}) == 0
