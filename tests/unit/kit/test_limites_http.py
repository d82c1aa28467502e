"""A server of ours under attack: what is too long, too slow or too much ends, and everybody else is served."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse, StreamingResponse
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.client import jusqu_a
from kit.http.connections import Connections, Limits
from kit.http.health import Health
from kit.http.web import MAX_BODY, create_app, server
from tests.attente import Bientot

# The other limits stay out of the way of the one that a test is about.
LARGES = Limits(head_s=60, body_s=60, idle_s=60, linger_s=60, write_s=60)
COURT = 0.2
GET = b"GET /bonjour HTTP/1.1\r\nhost: essai\r\n"


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    yield


@dataclass
class Appels:
    """What the app was asked, and what it may go on with."""

    recus: int = 0
    suite: asyncio.Event | None = None


def make_app(appels: Appels) -> FastAPI:
    app = create_app("essai", Health(), lifespan)

    @app.get("/bonjour")
    async def bonjour() -> PlainTextResponse:
        appels.recus += 1
        return PlainTextResponse("bonjour")

    @app.post("/taille")
    async def taille(request: Request) -> PlainTextResponse:
        appels.recus += 1
        return PlainTextResponse(str(len(await request.body())))

    @app.post("/entetes")
    async def entetes(request: Request) -> PlainTextResponse:
        await request.body()
        return PlainTextResponse(",".join(request.headers))

    @app.get("/attente")
    async def attente() -> PlainTextResponse:
        appels.recus += 1
        assert appels.suite is not None
        await appels.suite.wait()
        return PlainTextResponse("enfin")

    @app.get("/flot")
    async def flot() -> StreamingResponse:
        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(1000):
                yield b"x" * 65536

        return StreamingResponse(pieces())

    return app


class Client:
    """One connection, byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def envoyer(self, octets: bytes) -> bool:
        """Whether the other side still takes it."""
        try:
            self.writer.write(octets)
            await self.writer.drain()
        except ConnectionError:
            return False
        return True

    async def reponse(self) -> tuple[int, bytes]:
        """(status, body) of the next answer; (0, b"") when the connection has ended without one."""
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
            length = next(
                int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")
            )
            return int(head.split(b" ", 2)[1]), await self.reader.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError):
            return 0, b""

    async def fin(self) -> None:
        """Returns when the other side has closed."""
        try:
            while await self.reader.read(65536):
                pass
        except ConnectionError:
            return


@dataclass
class Maison:
    port: int
    appels: Appels
    _clients: list[Client]

    async def client(self) -> Client:
        client = Client(*await asyncio.open_connection("127.0.0.1", self.port))
        self._clients.append(client)
        return client

    async def sert(self) -> bool:
        """Whether a visitor is served now."""
        visiteur = await self.client()
        await visiteur.envoyer(GET + b"\r\n")
        return await visiteur.reponse() == (200, b"bonjour")


@asynccontextmanager
async def maison(limits: Limits = LARGES, owner: Callable[[str], str | None] = str) -> AsyncIterator[Maison]:
    appels = Appels()
    with socket.socket() as libre:
        libre.bind(("127.0.0.1", 0))
        port = libre.getsockname()[1]
    http = server(make_app(appels), "127.0.0.1", port, limits=limits, owner=owner)
    serving = asyncio.create_task(http.serve())
    clients: list[Client] = []

    async def demarre() -> bool:
        return http.started

    try:
        await jusqu_a(demarre, "le serveur")
        yield Maison(port, appels, clients)
    finally:
        for client in clients:
            client.writer.transport.abort()
        http.should_exit = True
        await serving


async def inonder(client: Client, morceau: bytes, octets: int) -> int:
    """Sends `morceau` until `octets` are gone or the other side has closed; returns how many went out."""
    sent = 0
    while sent < octets and await client.envoyer(morceau):
        sent += len(morceau)
        await asyncio.sleep(0)  # the server runs in this loop too
        if client.reader.at_eof():
            break
    return sent


@pytest.mark.parametrize(
    ("debut", "morceau"),
    [
        (GET + b"x-long: ", b"a" * 65536),
        (GET, b"x-court: a\r\n" * 4096),
        (b"GET /", b"a" * 65536),
        (b"GET /bonjour?", b"q=" + b"%41" * 20000),
        (b"", b"\r\n" * 30000),
        (GET + b"a", b"b" * 65536),
        (GET + b"cookie: ", b"a=b; " * 10000),
    ],
    ids=[
        "une-ligne-sans-fin",
        "des-entetes-sans-fin",
        "une-adresse-sans-fin",
        "une-question-sans-fin",
        "rien",
        "un-nom",
        "cookies",
    ],
)
async def test_un_debut_de_requete_sans_fin_est_refuse_apres_quelques_kio(debut: bytes, morceau: bytes) -> None:
    async with maison() as chez:
        client = await chez.client()
        await client.envoyer(debut + morceau)
        status, corps = await client.reponse()
        assert status == 431
        assert "trop longs" in corps.decode()
        # Who does not listen is cut off: what is dropped has a limit too.
        assert await inonder(client, b"a" * 65536, 400 * 2**20) < 16 * 2**20
        await client.fin()
        assert chez.appels.recus == 0
        assert await chez.sert()


async def test_trop_d_entetes_courts_sont_refuses_et_cent_passent() -> None:
    async with maison() as chez:
        juste, trop = await chez.client(), await chez.client()
        await juste.envoyer(GET + b"x: y\r\n" * 99 + b"\r\n")
        await trop.envoyer(GET + b"x: y\r\n" * 100 + b"\r\n")
        assert (await juste.reponse())[0] == 200
        assert (await trop.reponse())[0] == 431


@settings(max_examples=15)
@given(st.lists(st.integers(1, 40_000), min_size=1, max_size=8), st.integers(1, 6))
def test_une_requete_permise_passe_quels_que_soient_ses_morceaux(coupes: list[int], requetes: int) -> None:
    """Pieces of any size, several requests on one connection, one after the other or all at once."""

    async def essayer() -> None:
        async with maison() as chez:
            client = await chez.client()
            une = (
                b"POST /taille HTTP/1.1\r\nhost: e\r\ncontent-length: 30000\r\nx: "
                + b"h" * 15000
                + b"\r\n\r\n"
                + b"c" * 30000
            )
            tout = une * requetes
            for i in range(200):
                piece, tout = tout[: coupes[i % len(coupes)]], tout[coupes[i % len(coupes)] :]
                if not piece:
                    break
                await client.envoyer(piece)
            await client.envoyer(tout)
            assert [await client.reponse() for _ in range(requetes)] == [(200, b"30000")] * requetes

    asyncio.run(essayer())


async def test_des_entetes_lents_sont_coupes_a_temps_meme_octet_par_octet() -> None:
    async with maison(replace(LARGES, head_s=COURT, linger_s=COURT)) as chez:
        muet, lent = await chez.client(), await chez.client()
        await lent.envoyer(GET)
        reponse = asyncio.create_task(lent.reponse())
        while not reponse.done():
            await lent.envoyer(b"x")
            await asyncio.wait({reponse}, timeout=COURT / 20)
        assert reponse.result()[0] == 408
        # Who asked nothing is told nothing: browsers open connections before they need them.
        assert await muet.reponse() == (0, b"")
        await muet.fin()
        await lent.fin()
        assert chez.appels.recus == 0


async def test_apres_une_reponse_la_requete_suivante_a_le_meme_temps() -> None:
    async with maison(replace(LARGES, head_s=COURT, linger_s=COURT)) as chez:
        for suite in (GET, b"\r\n", b"G"):
            client = await chez.client()
            await client.envoyer(GET + b"\r\n")
            assert (await client.reponse())[0] == 200
            await client.envoyer(suite)
            assert (await client.reponse())[0] == 408
            await client.fin()


async def test_une_connexion_oisive_est_fermee() -> None:
    async with maison(replace(LARGES, idle_s=0)) as chez:
        client = await chez.client()
        await client.envoyer(GET + b"\r\n")
        assert (await client.reponse())[0] == 200
        await client.fin()


@pytest.mark.parametrize(
    "entete",
    [b"content-length: 1000\r\n\r\nabc", b"transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n"],
    ids=["annonce", "en-morceaux"],
)
async def test_un_corps_lent_est_coupe_a_temps_et_n_est_l_erreur_de_personne(
    entete: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with maison(replace(LARGES, body_s=COURT, linger_s=COURT)) as chez:
        client = await chez.client()
        await client.envoyer(b"POST /taille HTTP/1.1\r\nhost: e\r\n" + entete)
        assert (await client.reponse())[0] == 408
        await client.fin()
        assert chez.appels.recus == 1
    assert [entry for entry in caplog.records if entry.levelno >= logging.ERROR] == []


async def test_un_corps_de_2_go_est_refuse_et_n_est_pas_lu() -> None:
    async with maison(replace(LARGES, linger_s=COURT)) as chez:
        annonce, morceaux = await chez.client(), await chez.client()
        await annonce.envoyer(b"POST /taille HTTP/1.1\r\nhost: e\r\ncontent-length: 2147483648\r\n\r\n")
        await morceaux.envoyer(b"POST /taille HTTP/1.1\r\nhost: e\r\ntransfer-encoding: chunked\r\n\r\n")
        for client, morceau in ((annonce, b"a" * 65536), (morceaux, b"10000\r\n" + b"a" * 65536 + b"\r\n")):
            sent = await inonder(client, morceau, 2**31)
            assert sent < 64 * 2**20
            assert (await client.reponse())[0] in (413, 0)
            await client.fin()
        assert await chez.sert()


async def test_un_corps_un_peu_trop_grand_recoit_sa_reponse() -> None:
    async with maison() as chez:
        client = await chez.client()
        trop = MAX_BODY + 1
        await client.envoyer(b"POST /taille HTTP/1.1\r\nhost: e\r\ncontent-length: %d\r\n\r\n" % trop + b"a" * trop)
        status, corps = await client.reponse()
        assert status == 413
        assert "256" in corps.decode()


@pytest.mark.parametrize(
    "suite",
    [b"1;" + b"x" * 65536, b"0\r\nx-fin: " + b"x" * 65536],
    ids=["une-extension-sans-fin", "une-annexe-sans-fin"],
)
async def test_ce_qui_entoure_un_corps_en_morceaux_a_une_fin(suite: bytes) -> None:
    async with maison(replace(LARGES, linger_s=COURT)) as chez:
        client = await chez.client()
        await client.envoyer(b"POST /taille HTTP/1.1\r\nhost: e\r\ntransfer-encoding: chunked\r\n\r\n" + suite)
        assert await inonder(client, b"x" * 65536, 400 * 2**20) < 64 * 2**20
        assert (await client.reponse())[0] in (413, 400, 0)
        await client.fin()


async def test_une_annexe_n_ajoute_pas_d_entete_a_une_requete() -> None:
    async with maison() as chez:
        client = await chez.client()
        await client.envoyer(
            b"POST /entetes HTTP/1.1\r\nhost: e\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx-forge: 1\r\n\r\n"
        )
        status, corps = await client.reponse()
        assert status == 400
        assert b"x-forge" not in corps


def _is_closed(writer: asyncio.StreamWriter) -> bool:
    """Only what is sent tells that the other side has closed."""
    writer.write(b"\r\n")
    return writer.transport.is_closing()


async def test_qui_ne_lit_pas_sa_reponse_est_coupe(bientot: Bientot) -> None:
    async with maison(replace(LARGES, write_s=COURT)) as chez:
        client = await chez.client()
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a read transport too
        await client.envoyer(b"GET /flot HTTP/1.1\r\nhost: e\r\n\r\n")
        await bientot(lambda: _is_closed(client.writer))
        assert await chez.sert()


async def test_300_connexions_a_moitie_ouvertes_n_empechent_personne_et_se_ferment() -> None:
    async with maison(replace(LARGES, head_s=COURT * 5, linger_s=COURT)) as chez:
        moities = [await chez.client() for _ in range(300)]
        for client in moities:
            await client.envoyer(GET)
        assert await chez.sert()
        await asyncio.gather(*(client.fin() for client in moities))
        assert await chez.sert()


async def test_une_adresse_ne_tient_pas_plus_de_connexions_que_permis_et_la_plus_ancienne_qui_attend_cede(
    bientot: Bientot,
) -> None:
    async with maison(replace(LARGES, per_address=3)) as chez:
        chez.appels.suite = asyncio.Event()
        servie, oisive, autre = [await chez.client() for _ in range(3)]
        await servie.envoyer(b"GET /attente HTTP/1.1\r\nhost: e\r\n\r\n")
        await bientot(lambda: chez.appels.recus == 1)
        nouvelle = await chez.client()
        await nouvelle.envoyer(GET + b"\r\n")
        assert (await nouvelle.reponse())[0] == 200
        await oisive.fin()
        await autre.envoyer(GET + b"\r\n")
        assert (await autre.reponse())[0] == 200
        chez.appels.suite.set()
        assert await servie.reponse() == (200, b"enfin")


async def test_quand_toutes_les_connexions_d_une_adresse_sont_servies_une_de_plus_est_refusee(bientot: Bientot) -> None:
    async with maison(replace(LARGES, per_address=2)) as chez:
        chez.appels.suite = asyncio.Event()
        servies = [await chez.client() for _ in range(2)]
        for client in servies:
            await client.envoyer(b"GET /attente HTTP/1.1\r\nhost: e\r\n\r\n")
        await bientot(lambda: chez.appels.recus == 2)
        refusee = await chez.client()
        assert (await refusee.reponse())[0] == 503
        chez.appels.suite.set()
        assert [await client.reponse() for client in servies] == [(200, b"enfin")] * 2
        assert await chez.sert()


async def test_les_connexions_d_un_mandataire_de_confiance_ne_sont_pas_comptees() -> None:
    async with maison(replace(LARGES, per_address=1), owner=lambda _: None) as chez:
        clients = [await chez.client() for _ in range(5)]
        for client in clients:
            await client.envoyer(GET + b"\r\n")
            assert (await client.reponse())[0] == 200


class Tenue:
    def __init__(self, waiting: bool) -> None:
        self.waiting = waiting
        self.cedee = False

    def give_way(self) -> None:
        self.cedee = True


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans(), st.booleans()), max_size=60))
def test_jamais_plus_de_connexions_que_permis_et_jamais_une_qui_est_servie_ne_cede(
    suite: list[tuple[str, bool, bool]],
) -> None:
    ouvertes = Connections(Limits(per_address=3, total=5))
    tenues: list[tuple[str, Tenue]] = []
    for adresse, attend, part in suite:
        nouvelle = Tenue(attend)
        if ouvertes.enter(nouvelle, adresse):
            tenues.append((adresse, nouvelle))
        else:
            memes = [tenue for autre, tenue in tenues if autre == adresse]
            assert len(memes) == 3 or len(tenues) == 5
        tenues = [(autre, tenue) for autre, tenue in tenues if not tenue.cedee]
        assert len(tenues) <= 5
        assert all(sum(autre == une for autre, _ in tenues) <= 3 for une in "abc")
        if part and tenues:
            ouvertes.leave(tenues.pop(0)[1])


def test_une_connexion_servie_ne_cede_jamais() -> None:
    ouvertes = Connections(Limits(per_address=1, total=1))
    servie = Tenue(False)
    assert ouvertes.enter(servie, "a")
    assert not ouvertes.enter(Tenue(True), "a")
    assert not ouvertes.enter(Tenue(True), "b")
    assert not servie.cedee
