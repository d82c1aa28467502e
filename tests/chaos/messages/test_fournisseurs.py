"""An SMS provider killed in the middle of 200 SMS: the other takes over, nothing is lost, nothing is paid twice.

What the dead one had taken without an answer is `incertain`, and never sent again.
"""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession, web

from contracts.envois import Etat
from contracts.notifications import Canal
from deploy.client import jusqu_a
from deploy.stack.processes import OPERATEURS_MODULE
from deploy.standins.sms_operators import Genre
from deploy.standins.sms_operators.remise import Sms
from tests.chaos.messages.atelier import CONNEXIONS, au_travail, tout_fini
from tests.chaos.messages.envois import CLE_HTTP, SMPP_MOT_DE_PASSE, Arrivees, a_nous, scene
from tests.serveurs import _free_port

pytestmark = pytest.mark.chaos

PERSONNES, ANNONCES = 100, 2
SMS = PERSONNES * ANNONCES
AVANT = 40
"""How many SMS arrive before the kill."""
EN_VOL_MAX = 10 * CONNEXIONS
"""What may be on its way to a provider: so many SMS of a lot leave together (canaux/sms/canal.py)."""


class Operateur:
    """A process of `deploy.standins.sms_operators`."""

    def __init__(self, genre: Genre, phones: str) -> None:
        self._genre: Genre = genre
        self.port, self.smpp_port = _free_port(), _free_port()
        self._environnement = {
            "PORT": str(self.port),
            "SMPP_PORT": str(self.smpp_port),
            "CATCHER_URL": phones,
            "SMPP_MOT_DE_PASSE": SMPP_MOT_DE_PASSE,
            "SMS_HTTP_CLE": CLE_HTTP,
            "SMS_HTTP_SECRET": "secret",
        }
        self._enfant: asyncio.subprocess.Process | None = None

    async def demarrer(self, http: ClientSession) -> None:
        self._enfant = await asyncio.create_subprocess_exec(
            sys.executable, "-m", OPERATEURS_MODULE, self._genre, env={**os.environ, **self._environnement}
        )

        async def pret() -> bool:
            try:
                async with http.get(f"http://127.0.0.1:{self.port}/sante/vivant") as reponse:
                    return reponse.status == 200
            except OSError:
                return False

        await jusqu_a(pret, f"l’opérateur {self._genre}", 60)

    def tuer(self) -> None:
        assert self._enfant is not None
        self._enfant.kill()

    async def arreter(self) -> None:
        if self._enfant is not None and self._enfant.returncode is None:
            self._enfant.kill()
        if self._enfant is not None:
            await self._enfant.wait()


@asynccontextmanager
async def _telephones(arrivees: Arrivees) -> AsyncIterator[str]:
    """Where both operators bring what they took; its URL."""

    async def prendre(request: web.Request) -> web.Response:
        await arrivees.remettre(Sms(**await request.json()))
        return web.json_response({}, status=201)

    app = web.Application()
    app.router.add_post("/api/sms", prendre)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("victime", ["smsc", "http"])
async def test_un_fournisseur_tue_laisse_la_place_a_l_autre(tmp_path: Path, victime: Genre) -> None:
    arrivees = Arrivees()
    with a_nous(tmp_path / "serveurs") as serveurs:
        async with AsyncExitStack() as stack:
            lieu = await stack.enter_async_context(scene(serveurs))
            http = await stack.enter_async_context(ClientSession())
            phones = await stack.enter_async_context(_telephones(arrivees))
            operateurs: dict[Genre, Operateur] = {"smsc": Operateur("smsc", phones), "http": Operateur("http", phones)}
            for operateur in operateurs.values():
                stack.push_async_callback(operateur.arreter)
                await operateur.demarrer(http)
            await lieu.inscrire(PERSONNES, PERSONNES)
            await stack.enter_async_context(
                au_travail(
                    lieu,
                    smtp_url=f"smtp://127.0.0.1:{_free_port()}",
                    smpp_url=f"smpp://place:{SMPP_MOT_DE_PASSE}@127.0.0.1:{operateurs['smsc'].smpp_port}?source=PLACE",
                    sms_http_url=f"http://127.0.0.1:{operateurs['http'].port}/messages",
                    sms_http_cle=CLE_HTTP,
                )
            )
            # As an SMS arrives at its phone, before the operator has answered: the worst moment.
            async with arrivees.encore(AVANT, operateurs[victime].tuer) as tue:
                await lieu.publier(ANNONCES)
                await tue.wait()
            await tout_fini(lieu, SMS, Canal.SMS)
            attendus = lieu.attendus(Canal.SMS)
            lignes = {ligne["_id"]: ligne async for ligne in lieu.db.envois.find({"canal": Canal.SMS.value})}
            bascules = [bascule async for bascule in lieu.db.bascules.find()]
    assert set(lignes) == set(attendus)
    etats = Counter(ligne["etat"] for ligne in lignes.values())
    assert etats.keys() <= {Etat.REMIS.value, Etat.LIVRE.value, Etat.INCERTAIN.value}, etats
    incertains = {id_ for id_, ligne in lignes.items() if ligne["etat"] == Etat.INCERTAIN}
    assert len(incertains) <= EN_VOL_MAX
    assert arrivees.sms.total() == len(arrivees.sms), "an SMS was paid twice"
    assert (
        {cle for id_, cle in attendus.items() if id_ not in incertains} <= set(arrivees.sms) <= set(attendus.values())
    )
    assert {ligne["tentatives"] for ligne in lignes.values()} <= {1, 2}
    # The dead one has lost its traffic, and that was noted.
    mort = {"smsc": "smpp", "http": "http"}[victime]
    assert bascules
    assert all(bascule["de"] == mort for bascule in bascules)
