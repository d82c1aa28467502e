"""A claimed row has a lease, and a lease ends by a mark or by its end: never are there rows that nobody looks for."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from typing import Any

import pytest

from contracts.envois import Etat
from contracts.notifications import Canal
from kit.clock import FixedClock
from kit.database.mongo import Mongo, connect
from kit.ids import new_id
from kit.messaging.outbox import Outbox
from services.notifications import domain
from services.notifications.canaux.base import Recu
from services.notifications.delivery.claims import Claims
from services.notifications.delivery.marks import Mark
from services.notifications.domain import Genre, Suite
from services.notifications.planning.channel_rules import SansRegles
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
def claims(mongo: Mongo, horloge: FixedClock) -> Claims:
    return _claims(Canal.EMAIL, mongo, horloge)


def _claims(canal: Canal, mongo: Mongo, horloge: FixedClock) -> Claims:
    # Marks of codes tell nothing to other services: nothing is published.
    producer: Any = None
    return Claims(canal, mongo, Outbox(mongo, producer, horloge, "essai"), horloge, SansRegles())


@pytest.fixture
async def lignes(mongo: Mongo, horloge: FixedClock) -> list[Ligne]:
    registre = Registre(mongo.db, horloge)
    lignes = [registre.ligne(f"e{n}", Genre.CODE, Canal.EMAIL, f"c{n}", "contenu", 1) for n in range(10)]
    await mongo.db.envois.insert_many(lignes)
    return lignes


async def prendre(claims: Claims, lot: str, lignes: list[Ligne]) -> list[str]:
    """The ids of the rows that became the lot's."""
    return sorted(ligne["_id"] for ligne in await claims.claim(lignes, lot))


async def marquer(mongo: Mongo, claims: Claims, lot: str, ids: list[str], suite: Suite = REMIS) -> int:
    """Returns how many rows were written."""
    avant = await etats(mongo)
    lignes = [ligne async for ligne in mongo.db.envois.find({"_id": {"$in": ids}})]
    await claims.mark(Mark(lot, lignes, dict.fromkeys(ids, suite)))
    apres = await etats(mongo)
    return sum(avant[id_] != apres[id_] for id_ in ids)


async def etats(mongo: Mongo) -> dict[str, Any]:
    return {ligne["_id"]: ligne["etat"] async for ligne in mongo.db.envois.find()}


async def lots(mongo: Mongo) -> list[str]:
    return sorted([bail["_id"] async for bail in mongo.db.baux.find()])


async def test_deux_remises_qui_prennent_les_memes_lignes_se_les_partagent(claims: Claims, lignes: list[Ligne]) -> None:
    assert await prendre(claims, "un", lignes[:7]) == [f"e{n}" for n in range(7)]
    assert await prendre(claims, "deux", lignes) == [f"e{n}" for n in range(7, 10)]


async def test_une_marque_finit_le_bail_et_une_seconde_n_ecrit_rien(
    mongo: Mongo, claims: Claims, lignes: list[Ligne]
) -> None:
    ids = await prendre(claims, "un", lignes)
    assert await lots(mongo) == ["un"]
    assert await marquer(mongo, claims, "un", ids) == len(ids)
    assert await lots(mongo) == []
    assert await marquer(mongo, claims, "un", ids, domain.apres_refus("trop tard")) == 0
    assert set((await etats(mongo)).values()) == {Etat.REMIS.value}


async def test_une_prise_dont_la_reponse_s_est_perdue_est_redemandee(claims: Claims, lignes: list[Ligne]) -> None:
    assert await prendre(claims, "un", lignes) == await prendre(claims, "un", lignes)


async def test_ce_qu_un_processus_mort_avait_en_main_se_retrouve_a_la_fin_du_bail(
    mongo: Mongo, claims: Claims, horloge: FixedClock, lignes: list[Ligne]
) -> None:
    perdues = await prendre(claims, "mort", lignes[:4])
    await prendre(claims, "vivant", lignes[4:8])
    horloge.advance(seconds=domain.BAIL.total_seconds() / 2)
    assert await claims.extend(["vivant"])
    assert await claims.give_up_expired() == 0
    horloge.advance(seconds=domain.BAIL.total_seconds() / 2 + 1)
    # Each channel has its own sweeper.
    assert await _claims(Canal.SMS, mongo, horloge).give_up_expired() == 0
    assert await claims.give_up_expired() == len(perdues)
    assert await claims.give_up_expired() == 0
    assert await lots(mongo) == ["vivant"]
    trouvees = {id_: etat for id_, etat in (await etats(mongo)).items() if etat == Etat.INCERTAIN.value}
    assert sorted(trouvees) == perdues
    # It was not dead, only slow: it can neither prolong nor mark what was taken from it.
    assert not await claims.extend(["mort"])
    assert await claims.renew("mort") == []
    assert await marquer(mongo, claims, "mort", perdues) == 0
    horloge.advance(minutes=1)
    assert await prendre(claims, "autre", lignes[:4]) == perdues


async def test_d_un_lot_en_attente_les_lignes_deja_repondues_sont_laissees(
    mongo: Mongo, claims: Claims, lignes: list[Ligne]
) -> None:
    """A provider's last word may come before the mark."""
    await prendre(claims, "un", lignes[:3])
    await mongo.db.envois.update_one({"_id": "e1"}, {"$set": {"etat": Etat.LIVRE.value}, "$unset": {"lot": ""}})
    assert sorted(ligne["_id"] for ligne in await claims.renew("un")) == ["e0", "e2"]


async def test_les_centaines_de_lots_d_un_worker_tue_sont_toutes_rendues(
    mongo: Mongo, claims: Claims, horloge: FixedClock, lignes: list[Ligne]
) -> None:
    modele = lignes[0]
    beaucoup = [{**modele, "_id": f"f{n}"} for n in range(120)]
    await mongo.db.envois.insert_many(beaucoup)
    await asyncio.gather(*(claims.claim([ligne], f"lot{ligne['_id']}") for ligne in beaucoup))
    horloge.advance(seconds=domain.BAIL.total_seconds() + 1)
    rendus = []
    while rendu := await claims.give_up_expired():
        rendus.append(rendu)
    assert sum(rendus) == len(beaucoup)
    assert max(rendus) < len(beaucoup)
    assert await lots(mongo) == []
