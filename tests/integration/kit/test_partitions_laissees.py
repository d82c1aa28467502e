"""A member that does not reach its database leaves its partitions to one that does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import ClassVar
from urllib.parse import urlsplit

from kit.http.health import Health
from kit.ids import new_id
from kit.messaging.events import encode
from kit.messaging.outbox import Tx
from kit.resources import Runtime, open_runtime
from kit.settings import Settings
from tests.attente import Bientot
from tests.faits import Fait, Spec
from tests.integration.kit.coupure import Coupure
from tests.serveurs import Serveurs

TOPIC = f"kit.partage-{new_id()[:8]}.v1"


class Partage(Fait):
    topic: ClassVar[str] = TOPIC


async def on_partage(event: Partage, tx: Tx, par: str) -> None:
    await tx.db.faits.insert_one({"_id": event.id, "par": par}, session=tx.session)


@asynccontextmanager
async def membre(serveurs: Serveurs, mongo_url: str, service: str, nom: str) -> AsyncIterator[Runtime]:
    settings = Settings(mongo_url=mongo_url, kafka_url=serveurs.kafka_url)
    async with open_runtime(service, settings, Health()) as runtime:
        await runtime.prepare([Spec(TOPIC, partitions=4)], [Spec(TOPIC, partitions=4)])
        processor = runtime.processor({Partage: on_partage}, nom, {TOPIC: {"Partage": Partage}})
        stopping = asyncio.Event()
        tasks = [asyncio.ensure_future(loop(stopping)) for loop in runtime.consumers([TOPIC], processor, Health())]
        try:
            yield runtime
        finally:
            stopping.set()
            await asyncio.gather(*tasks)


async def test_qui_ne_joint_plus_sa_base_laisse_ses_partitions_a_qui_la_joint(
    serveurs: Serveurs, bientot: Bientot
) -> None:
    parts, service = urlsplit(serveurs.mongo_url), f"kit-{new_id()[:8]}"
    async with Coupure(parts.hostname or "", parts.port or 27017).ouverte() as coupure:
        direct = f"mongodb://127.0.0.1:{coupure.port}/?directConnection=true"
        async with (
            membre(serveurs, serveurs.mongo_url, service, "libre") as libre,
            membre(serveurs, direct, service, "coupe"),
        ):

            async def par(nom: str) -> int:
                return await libre.mongo.db.faits.count_documents({"par": nom})

            async def envoyer(nombre: int) -> None:
                at = libre.clock.now()
                await libre.producer.publish(
                    [encode(Partage(id=new_id()), event_id=new_id(), source="essai", at=at) for _ in range(nombre)]
                )

            async def les_deux_travaillent() -> bool:
                await envoyer(8)
                return bool(await par("libre") and await par("coupe"))

            await bientot(les_deux_travaillent)
            coupure.couper()
            avant = await libre.mongo.db.faits.count_documents({})
            await envoyer(80)

            async def tout_est_fait() -> bool:
                return await libre.mongo.db.faits.count_documents({}) >= avant + 80

            await bientot(tout_est_fait)
            coupure.retablir()

            async def il_est_revenu() -> bool:
                connus = await par("coupe")
                await envoyer(8)
                return await par("coupe") > connus

            await bientot(il_est_revenu)
