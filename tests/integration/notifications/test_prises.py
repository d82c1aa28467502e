"""A claimed row has a lease, and a lease ends by a mark or by its end: never are there rows that nobody looks for."""

import datetime as dt
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest

from contracts.notifications import Canal
from kit.clock import FixedClock
from kit.ids import new_id
from kit.mongo import Mongo, connect
from services.notifications import domain
from services.notifications.canaux.base import Recu
from services.notifications.delivery.claims import Prises
from services.notifications.domain import Etat, Genre, Suite
from services.notifications.registre.rows import Ligne
from services.notifications.registre.store import Registre
from tests.serveurs import Serveurs

REMIS = domain.apres_remise(Recu("relais", None))


@pytest.fixture
async def mongo(serveurs: Serveurs) -> AsyncIterator[Mongo]:
    """A database in which no worker sweeps."""
    mongo = connect(serveurs.mongo_url, f"prises_{new_id()}")
    yield mongo
    await mongo.client.drop_database(mongo.db.name)
    mongo.close()


@pytest.fixture
def horloge() -> FixedClock:
    return FixedClock(dt.datetime(2026, 11, 28, 12, tzinfo=dt.UTC))


@pytest.fixture
def prises(mongo: Mongo, horloge: FixedClock) -> Prises:
    return Prises(mongo, horloge)


@pytest.fixture
async def lignes(mongo: Mongo, horloge: FixedClock) -> list[Ligne]:
    registre = Registre(mongo.db, horloge)
    lignes = [registre.ligne(f"e{n}", Genre.CODE, Canal.EMAIL, f"c{n}", "contenu", 1) for n in range(10)]
    await mongo.db.envois.insert_many(lignes)
    return lignes


async def prendre(prises: Prises, lot: str, lignes: list[Ligne]) -> list[str]:
    """The ids of the rows that became the lot's."""
    return sorted(ligne["_id"] for ligne in (await prises.prendre(Canal.EMAIL, {lot: lignes}))[lot])


async def marquer(mongo: Mongo, prises: Prises, lot: str, ids: list[str], suite: Suite = REMIS) -> int:
    return await mongo.transaction(partial(prises.marquer, {lot: dict.fromkeys(ids, suite)}))


async def etats(mongo: Mongo) -> dict[str, Any]:
    return {ligne["_id"]: ligne["etat"] async for ligne in mongo.db.envois.find()}


async def lots(mongo: Mongo) -> list[str]:
    return sorted([bail["_id"] async for bail in mongo.db.baux.find()])


async def test_two_deliverers_that_claim_the_same_rows_share_them_out(prises: Prises, lignes: list[Ligne]) -> None:
    assert await prendre(prises, "un", lignes[:7]) == [f"e{n}" for n in range(7)]
    assert await prendre(prises, "deux", lignes) == [f"e{n}" for n in range(7, 10)]


async def test_a_mark_ends_the_lease_and_a_second_one_writes_nothing(
    mongo: Mongo, prises: Prises, lignes: list[Ligne]
) -> None:
    ids = await prendre(prises, "un", lignes)
    assert await lots(mongo) == ["un"]
    assert await marquer(mongo, prises, "un", ids) == len(ids)
    assert await lots(mongo) == []
    assert await marquer(mongo, prises, "un", ids, domain.apres_refus("trop tard")) == 0
    assert set((await etats(mongo)).values()) == {Etat.REMIS.value}


async def test_a_claim_whose_answer_was_lost_is_asked_for_again(prises: Prises, lignes: list[Ligne]) -> None:
    assert await prendre(prises, "un", lignes) == await prendre(prises, "un", lignes)


async def test_what_a_dead_process_had_in_hand_is_found_when_its_lease_is_over(
    mongo: Mongo, prises: Prises, horloge: FixedClock, lignes: list[Ligne]
) -> None:
    perdues = await prendre(prises, "mort", lignes[:4])
    await prendre(prises, "vivant", lignes[4:8])
    horloge.advance(seconds=domain.BAIL.total_seconds() / 2)
    assert await prises.prolonger(["vivant"])
    assert await prises.rendre_incertains(Canal.EMAIL) == 0
    horloge.advance(seconds=domain.BAIL.total_seconds() / 2 + 1)
    # Each channel has its own sweeper.
    assert await prises.rendre_incertains(Canal.SMS) == 0
    assert await prises.rendre_incertains(Canal.EMAIL) == len(perdues)
    assert await prises.rendre_incertains(Canal.EMAIL) == 0
    assert await lots(mongo) == ["vivant"]
    trouvees = {id_: etat for id_, etat in (await etats(mongo)).items() if etat == Etat.INCERTAIN.value}
    assert sorted(trouvees) == perdues
    # It was not dead, only slow: it can neither prolong nor mark what was taken from it.
    assert not await prises.prolonger(["mort"])
    assert await prises.renouveler("mort") == []
    assert await marquer(mongo, prises, "mort", perdues) == 0
    horloge.advance(minutes=1)
    assert await prendre(prises, "autre", lignes[:4]) == perdues


async def test_of_a_lot_that_waited_the_rows_that_were_answered_meanwhile_are_left_out(
    mongo: Mongo, prises: Prises, lignes: list[Ligne]
) -> None:
    """A provider's last word may come before the mark."""
    await prendre(prises, "un", lignes[:3])
    await mongo.db.envois.update_one({"_id": "e1"}, {"$set": {"etat": Etat.LIVRE.value}, "$unset": {"lot": ""}})
    assert sorted(ligne["_id"] for ligne in await prises.renouveler("un")) == ["e0", "e2"]


async def test_a_killed_worker_s_hundreds_of_lots_are_all_given_back(
    mongo: Mongo, prises: Prises, horloge: FixedClock, lignes: list[Ligne]
) -> None:
    modele = lignes[0]
    beaucoup = [{**modele, "_id": f"f{n}"} for n in range(120)]
    await mongo.db.envois.insert_many(beaucoup)
    await prises.prendre(Canal.EMAIL, {f"lot{ligne['_id']}": [ligne] for ligne in beaucoup})
    horloge.advance(seconds=domain.BAIL.total_seconds() + 1)
    rendus = []
    while rendu := await prises.rendre_incertains(Canal.EMAIL):
        rendus.append(rendu)
    assert sum(rendus) == len(beaucoup)
    assert max(rendus) < len(beaucoup)
    assert await lots(mongo) == []
