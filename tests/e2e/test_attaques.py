"""Attacks on the public's door as it is started everywhere: each ends, and others are served meanwhile."""

import asyncio

import psutil
import pytest

from deploy.stack.supervision import Supervisor
from tests.pile import Ville

pytestmark = pytest.mark.e2e

DEBUT = b"GET /v1/annonces HTTP/1.1\r\nhost: essai\r\n"
MIO = 2**20


class Attaque:
    """One connection, byte by byte."""

    def __init__(self, lecture: asyncio.StreamReader, ecriture: asyncio.StreamWriter) -> None:
        self.lecture, self.ecriture = lecture, ecriture

    async def envoyer(self, octets: bytes) -> bool:
        """Whether the other side still takes it."""
        try:
            self.ecriture.write(octets)
            await self.ecriture.drain()
        except ConnectionError:
            return False
        return True

    async def statut(self) -> int:
        """Of the answer; 0 when the connection ends without one."""
        try:
            return int((await self.lecture.readuntil(b"\r\n")).split(b" ")[1])
        except (asyncio.IncompleteReadError, ConnectionError):
            return 0

    async def fin(self) -> None:
        """Returns when the other side has closed."""
        try:
            while await self.lecture.read(65536):
                pass
        except ConnectionError:
            return


async def attaquer(ville: Ville) -> Attaque:
    return Attaque(*await asyncio.open_connection("127.0.0.1", ville.stack.ports["gateway"]))


def memoire(ville: Ville) -> int:
    """Bytes that the gateway holds."""
    held: int = psutil.Process(Supervisor(ville.stack.layout).states()["gateway"].pid).memory_info().rss
    return held


async def sert(ville: Ville) -> bool:
    async with ville.http.get(f"{ville.base}/v1/annonces") as answer:
        return answer.status == 200


@pytest.mark.parametrize(
    "debut",
    [
        DEBUT + b"x-long: ",
        DEBUT + b"x: y\r\n" * 50_000,
        b"POST /v1/sessions HTTP/1.1\r\nhost: essai\r\ncontent-length: 2147483648\r\n\r\n",
    ],
    ids=["un-entete-sans-fin", "50000-entetes", "un-corps-de-2-go"],
)
async def test_un_envoi_demesure_est_refuse_sans_prendre_de_memoire(ville: Ville, debut: bytes) -> None:
    assert await sert(ville)
    avant = memoire(ville)
    attaque = await attaquer(ville)
    pris = len(debut) if await attaque.envoyer(debut) else 0
    while pris < 400 * MIO and await attaque.envoyer(b"a" * 65536):
        pris += 65536
    assert pris < 32 * MIO
    assert await attaque.statut() in (413, 431, 0)
    assert memoire(ville) - avant < 32 * MIO
    assert await sert(ville)


async def test_300_connexions_qui_attendent_n_empechent_personne_et_se_ferment(ville: Ville) -> None:
    attaques = [await attaquer(ville) for _ in range(300)]
    for attaque in attaques:
        await attaque.envoyer(DEBUT)
    assert await sert(ville)
    await asyncio.gather(*(attaque.fin() for attaque in attaques))
    assert await sert(ville)
