"""The local SMS operators in the test process, the phones that they reach, and the door of their callbacks."""

from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from deploy.standins.sms_operators.http import CallbackTarget, Fournisseur
from deploy.standins.sms_operators.pannes import Pannes
from deploy.standins.sms_operators.registre import OperatorStore
from deploy.standins.sms_operators.remise import Sms
from deploy.standins.sms_operators.session import Acces
from deploy.standins.sms_operators.smsc import Smsc

MOT_DE_PASSE, CLE, SECRET = "secret", "cle-de-l-operateur", "secret-des-rappels"
NOTRE_NOM = "PLACE"


class Telephones:
    """SMS by the number that got them."""

    def __init__(self) -> None:
        self.recus: dict[str, list[Sms]] = defaultdict(list)

    async def remettre(self, sms: Sms) -> None:
        self.recus[sms.a].append(sms)


class Operateurs:
    """`smsc` and `fournisseur` send what phones are to send: `await smsc.entrant(numero, NOTRE_NOM, texte)`.

    `api`: where callbacks go; until it is known they are answered 503, and come again.
    """

    def __init__(self, http: ClientSession) -> None:
        self.telephones = Telephones()
        self.api: httpx.AsyncClient | None = None
        self.smpp_port = 0
        self._http = http
        self._registre = OperatorStore()
        self.smsc = self._centre()

    @property
    def smpp_url(self) -> str:
        return f"smpp://place:{MOT_DE_PASSE}@127.0.0.1:{self.smpp_port}?source={NOTRE_NOM}"

    async def ouvrir_smsc(self) -> None:
        """Where it was before, with what it still owes."""
        self.smsc = self._centre()
        self.smpp_port = await self.smsc.demarrer("127.0.0.1", self.smpp_port)

    def _centre(self) -> Smsc:
        acces = Acces("place", MOT_DE_PASSE)
        return Smsc(acces, self._registre, self.telephones, _pannes(), premier_delai_s=0.01)

    def operateur_http(self, rappels: str) -> Fournisseur:
        rappel = CallbackTarget(rappels, SECRET, CLE)
        self.fournisseur = Fournisseur(
            rappel, OperatorStore(), self.telephones, _pannes(), self._http, premier_delai_s=0.01
        )
        return self.fournisseur

    def porte(self) -> web.Application:
        """Passes callbacks on to the api, as they are."""

        async def passer(request: web.Request) -> web.Response:
            if self.api is None:
                return web.Response(status=503)
            noms = ("X-Horodatage", "X-Signature", "Content-Type")
            entetes = {nom: request.headers[nom] for nom in noms}
            reponse = await self.api.post("/v1/rappels/sms/http", content=await request.read(), headers=entetes)
            return web.Response(status=reponse.status_code)

        app = web.Application()
        app.router.add_post("/rappel", passer)
        return app


def _pannes() -> Pannes:
    """None, and receipts that leave at once."""
    pannes = Pannes()
    pannes.remplacer({"delai_recus_ms": 0})
    return pannes


@asynccontextmanager
async def ouverts() -> AsyncIterator[tuple[Operateurs, str]]:
    """The operators, and the URL of the one that speaks HTTP."""
    async with ClientSession() as http:
        operateurs = Operateurs(http)
        await operateurs.ouvrir_smsc()
        async with TestServer(operateurs.porte()) as porte:
            app = operateurs.operateur_http(str(porte.make_url("/rappel"))).application()
            async with TestServer(app) as server:
                try:
                    yield operateurs, str(server.make_url("/messages"))
                finally:
                    await operateurs.smsc.fermer()
