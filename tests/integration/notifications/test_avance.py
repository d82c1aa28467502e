"""Mails are claimed with their insertion; what does not leave before the end of its process is nobody's loss."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import pytest

from contracts.notifications import Canal
from kit.clock import SystemClock
from kit.ids import new_id
from kit.mongo import connect
from kit.outbox import Outbox
from services.notifications import domain
from services.notifications.canaux.base import Colis, Injoignable, Issue
from services.notifications.domain import Etat, Genre
from services.notifications.livreur import Livreur
from services.notifications.regles import SansRegles
from services.notifications.store import Ligne, Registre
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


def livreur(canal: Canal, registre: Registre, outbox: Outbox | None = None) -> Livreur:
    # What serves the hand-off is missing: there is none.
    sans: Any = None
    return Livreur(Absent(canal), registre, sans, sans, outbox or sans, SystemClock(), 8, SansRegles())


async def test_each_lot_is_claimed_apart_and_an_sms_is_never_claimed_ahead(
    registre: Registre, lignes: list[Ligne]
) -> None:
    assert livreur(Canal.SMS, registre).reserver(lignes, None) == []
    assert {ligne["etat"] for ligne in lignes} == {Etat.EN_FILE.value}
    prises = livreur(Canal.EMAIL, registre).reserver(lignes, None)
    assert sum(len(prise.lignes) for prise in prises) == len(lignes)
    assert max(len(prise.lignes) for prise in prises) <= domain.LOT_MAX[Canal.EMAIL]
    assert {ligne["etat"] for ligne in lignes} == {Etat.REMISE.value}
    assert {ligne["lot"] for ligne in lignes} == {prise.lot for prise in prises}


async def test_not_more_is_claimed_ahead_than_leaves_in_time(registre: Registre, lignes: list[Ligne]) -> None:
    plein = livreur(Canal.EMAIL, registre)
    plein.tenir(plein.reserver([dict(ligne) for _ in range(domain.AVANCE_MAX) for ligne in lignes[:1]], None))
    assert plein.reserver(lignes, None) == []
    assert {ligne["etat"] for ligne in lignes} == {Etat.EN_FILE.value}


async def test_what_waits_for_a_relay_that_is_away_is_given_back_at_the_end(
    poste: Poste, serveurs: Serveurs, lignes: list[Ligne]
) -> None:
    clock, mongo = SystemClock(), connect(serveurs.mongo_url, "notifications")
    outbox = Outbox(mongo, poste.producer, clock, "test")
    seul = livreur(Canal.EMAIL, Registre(mongo.db, clock), outbox)
    prises = seul.reserver(lignes, None)
    await poste.db.envois.insert_many(lignes)
    seul.tenir(prises)
    stopping = asyncio.Event()
    tourne = asyncio.create_task(seul.run(stopping))
    await asyncio.sleep(0)
    stopping.set()
    await tourne
    mongo.close()
    # The worker of these tests takes them up, and finds nobody behind them: their first attempt, not one after a crash.
    for ligne in lignes:
        vue = await poste.dans_l_etat(Etat.SANS_CONSENTEMENT.value, _id=ligne["_id"])
        assert vue["tentatives"] == 1
