"""The bare chain: the same hops as the platform and as many majority-committed writes, and nothing else.

Two HTTP hops (gateway, service), four Kafka hops, each in its own process as on the platform, then one SMTP hand-over
on an open connection. Every process is `python -m bench.nu STAGE`; the environment contains MONGO_URL, KAFKA_URL,
SMTP_URL, NU_PREFIXE (a name of this run), NU_GROUPE, and the ports.

A stage does its writes sequentially with write concern majority: those of `avant` before it passes the message on,
those of `apres` afterwards. With NU_GROUPE=1 it does one write where the platform has one transaction of several. This
is the harder comparison, because the round trips inside a transaction then have no counterpart.
"""

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiosmtplib
import uvloop
from aiohttp import ClientSession, web
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from kit.database import mongo


@dataclass(frozen=True)
class Etape:
    """Documents that the platform writes for one alert at this stage, as one tuple of names per commit, before and
    after it passes the message on. `lit` and `ecrit` are the topics read (None: HTTP) and written (None: SMTP)."""

    avant: tuple[tuple[str, ...], ...]
    apres: tuple[tuple[str, ...], ...]
    lit: str | None
    ecrit: str | None

    def ecritures(self, *, groupe: bool) -> tuple[int, int]:
        """Numbers of writes before and after passing on: documents, or commits when grouped."""
        if groupe:
            return len(self.avant), len(self.apres)
        return sum(map(len, self.avant)), sum(map(len, self.apres))


_LACHEE = (("outbox row let go",),)
ECRITURES = {
    "service": Etape((("annonce", "outbox"),), _LACHEE, None, "deposee"),
    "moderation": Etape((("inbox", "cible", "dossier", "decision", "outbox"),), _LACHEE, "deposee", "decision"),
    "publication": Etape((("inbox", "annonce", "outbox"),), _LACHEE, "decision", "publiee"),
    "matching": Etape((("inbox", "annonce", "correspondances", "outbox"),), _LACHEE, "publiee", "correspondance"),
    "envoi": Etape(
        # The claim is inserted with the row; its lease is a separate row.
        (("inbox", "contenu", "bail", "envoi"),),
        (("mark", "end of the bail", "outbox"), ("outbox row let go",)),
        "correspondance",
        None,
    ),
}


def topic(nom: str) -> str:
    return f"nu.{os.environ['NU_PREFIXE']}.{nom}"


class Ecrivain:
    def __init__(self, etape: str) -> None:
        name = f"nu_{os.environ['NU_PREFIXE']}"
        self._collection = mongo.connect(os.environ["MONGO_URL"], name).db[etape]
        self._avant, self._apres = ECRITURES[etape].ecritures(groupe=os.environ["NU_GROUPE"] == "1")

    async def avant(self, corps: dict[str, Any]) -> None:
        await self._ecrire(self._avant, corps)

    async def apres(self, corps: dict[str, Any]) -> None:
        await self._ecrire(self._apres, corps)

    async def _ecrire(self, fois: int, corps: dict[str, Any]) -> None:
        for _ in range(fois):
            await self._collection.insert_one({"corps": corps})


async def porte(port: int) -> None:
    """First HTTP hop: passes the bytes on."""
    cible = os.environ["NU_SERVICE_URL"]
    http = ClientSession()

    async def passer(request: web.Request) -> web.Response:
        async with http.post(cible, data=await request.read()) as answer:
            return web.Response(status=answer.status, body=await answer.read())

    await _servir(passer, port)


async def service(port: int) -> None:
    """Second HTTP hop: writes, answers, publishes."""
    etape, ecrivain, producteur = ECRITURES["service"], Ecrivain("service"), await _producteur()

    async def suite(corps: dict[str, Any]) -> None:
        await producteur.send_and_wait(topic(str(etape.ecrit)), json.dumps(corps).encode())
        await ecrivain.apres(corps)

    en_cours: set[asyncio.Task[None]] = set()

    async def recevoir(request: web.Request) -> web.Response:
        corps = await request.json()
        await ecrivain.avant(corps)
        tache = asyncio.create_task(suite(corps))
        en_cours.add(tache)
        tache.add_done_callback(en_cours.discard)
        return web.json_response({"id": corps["id"]}, status=201)

    await _servir(recevoir, port)


async def chainon(nom: str) -> None:
    """A Kafka hop: reads, writes, passes on, commits its offset."""
    etape, ecrivain, producteur = ECRITURES[nom], Ecrivain(nom), await _producteur()
    smtp = await _smtp() if etape.ecrit is None else None
    lecteur = AIOKafkaConsumer(
        topic(str(etape.lit)),
        bootstrap_servers=os.environ["KAFKA_URL"],
        group_id=topic(nom),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    await lecteur.start()
    async for message in lecteur:
        corps = json.loads(message.value)
        await ecrivain.avant(corps)
        if smtp is None:
            await producteur.send_and_wait(topic(str(etape.ecrit)), message.value)
        else:
            await smtp.sendmail("nu@example.org", [corps["a"]], _mail(corps))
        await ecrivain.apres(corps)
        await lecteur.commit()


def _mail(corps: dict[str, Any]) -> bytes:
    # About as long as an alert, in lines short enough for SMTP.
    head = f"From: nu@example.org\r\nTo: {corps['a']}\r\nSubject: {corps['id']}\r\n\r\n"
    return head.encode() + (b"x" * 70 + b"\r\n") * 40


async def _producteur() -> AIOKafkaProducer:
    producteur = AIOKafkaProducer(bootstrap_servers=os.environ["KAFKA_URL"], acks="all")
    await producteur.start()
    return producteur


async def _smtp() -> aiosmtplib.SMTP:
    url = urlsplit(os.environ["SMTP_URL"])
    smtp = aiosmtplib.SMTP(hostname=url.hostname, port=url.port, start_tls=False, use_tls=False)
    await smtp.connect()
    return smtp


async def _servir(repondre: Any, port: int) -> None:
    app = web.Application()
    app.router.add_post("/", repondre)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    nom = sys.argv[1]
    if nom in ("porte", "service"):
        uvloop.run({"porte": porte, "service": service}[nom](int(os.environ["PORT"])))
    else:
        uvloop.run(chainon(nom))
