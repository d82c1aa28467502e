"""How fast messages may leave, counted by all workers together on a real Redis, and alone while it is away."""

import asyncio
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from redis import Redis as ClientSimple
from redis.asyncio import Redis
from redis.exceptions import RedisError

from deploy.stack.servers.redis import binary
from services.notifications.canaux import rate_limit
from services.notifications.canaux.rate_limit import Limite, RateLimiter, connecter, lire_limites

PERSONNE = "redis://127.0.0.1:1"
"""Where no Redis answers: each process counts for itself."""

LENT = Limite(par_seconde=0.01, rafale=10)
"""So slow that nothing comes back during a test."""


class Serveur:
    """A redis-server on a socket of its own."""

    def __init__(self, dossier: Path) -> None:
        self.socket = dossier / "redis.sock"
        self._dossier = dossier
        self._processus: subprocess.Popen[bytes] | None = None

    def demarrer(self) -> None:
        options = ["--port", "0", "--unixsocket", str(self.socket), "--dir", str(self._dossier), "--save", ""]
        self._processus = subprocess.Popen([str(binary()), *options], stdout=subprocess.DEVNULL)
        with ClientSimple(unix_socket_path=str(self.socket)) as client:
            while not self._repond(client):
                assert self._processus.poll() is None, "redis-server has ended"
            client.flushall()

    def arreter(self) -> None:
        if self._processus is not None:
            self._processus.kill()
            self._processus.wait()
            self._processus = None

    @staticmethod
    def _repond(client: ClientSimple) -> bool:
        try:
            return bool(client.ping())
        except RedisError:
            return False


@pytest.fixture(scope="module")
def serveur() -> Iterator[Serveur]:
    # A short path: that of a socket has at most 107 bytes.
    dossier = Path(tempfile.mkdtemp(prefix="debit-"))
    serveur = Serveur(dossier)
    serveur.demarrer()
    try:
        yield serveur
    finally:
        serveur.arreter()
        shutil.rmtree(dossier)


class Montre:
    def __init__(self) -> None:
        self.secondes = 100.0

    def __call__(self) -> float:
        return self.secondes


class Sommeils:
    def __init__(self) -> None:
        self.montre = Montre()
        self.durees: list[float] = []
        self.pendant: list[Callable[[], Awaitable[None]]] = []

    async def sleep(self, secondes: float) -> None:
        self.durees.append(secondes)
        self.montre.secondes += secondes
        if self.pendant:
            await self.pendant.pop()()


@asynccontextmanager
async def ouvrir(serveur: Serveur) -> AsyncIterator[Redis]:
    redis = Redis(unix_socket_path=str(serveur.socket), socket_timeout=30)
    try:
        yield redis
    finally:
        await redis.aclose()


@pytest.fixture
async def redis(serveur: Serveur) -> AsyncIterator[Redis]:
    async with ouvrir(serveur) as redis:
        await redis.flushall()
        yield redis


async def test_tous_les_workers_ensemble_ne_depassent_pas_le_debit(serveur: Serveur, redis: Redis) -> None:
    async with ouvrir(serveur) as autre:
        debits = [RateLimiter(redis, {"smpp": LENT}), RateLimiter(autre, {"smpp": LENT})]
        attentes = await asyncio.gather(*(debits[n % 2].prendre("smpp") for n in range(60)))
    assert attentes.count(0.0) == LENT.rafale
    assert all(0 < attente <= 100 for attente in attentes if attente)


async def test_ce_qui_n_est_pas_pris_dit_combien_attendre(redis: Redis) -> None:
    debit = RateLimiter(redis, {"smpp": LENT})
    assert await debit.prendre("smpp", 8) == 0
    assert 150 < await debit.prendre("smpp", 4) <= 200
    # Nothing was taken by asking: two are still there.
    assert await debit.prendre("smpp", 2) == 0


async def test_chaque_fournisseur_a_son_debit_et_qui_n_en_a_pas_n_attend_pas(redis: Redis) -> None:
    debit = RateLimiter(redis, {"smpp": LENT, "http": LENT})
    assert await debit.prendre("smpp", 10) == 0
    assert await debit.prendre("http", 10) == 0
    assert await debit.prendre("smpp") > 0
    assert [await debit.prendre("autre") for _ in range(20)] == [0] * 20


async def test_le_seau_se_remplit_et_l_attente_annoncee_suffit(redis: Redis) -> None:
    debit = RateLimiter(redis, {"smpp": Limite(par_seconde=200, rafale=2)})
    for _ in range(20):
        await debit.attendre("smpp")
    await debit.attendre("smpp", 2)


@pytest.fixture
def sommeils(monkeypatch: pytest.MonkeyPatch) -> Sommeils:
    """In place of asyncio.sleep: nobody sleeps, and the watch moves on."""
    sommeils = Sommeils()
    monkeypatch.setattr(rate_limit, "asyncio", sommeils)
    return sommeils


async def test_qui_attend_ne_repart_qu_une_fois_servi(sommeils: Sommeils) -> None:
    debit = RateLimiter(connecter(PERSONNE), {"smpp": Limite(par_seconde=0.5, rafale=2)}, monotonic=sommeils.montre)
    await debit.attendre("smpp")
    assert sommeils.durees == [2]
    await debit.attendre("smpp", 2)
    assert sommeils.durees == [2, 4]
    sommeils.montre.secondes += 4
    await debit.attendre("smpp", 2)
    assert sommeils.durees == [2, 4], "there were two left: nobody waits"
    await debit.attendre("autre")
    assert sommeils.durees == [2, 4], "a provider without a limit is never waited for"


async def test_qui_attend_attend_encore_si_un_autre_a_pris_sa_place(sommeils: Sommeils) -> None:
    debit = RateLimiter(connecter(PERSONNE), {"smpp": Limite(par_seconde=0.5, rafale=2)}, monotonic=sommeils.montre)

    async def un_autre_passe() -> None:
        assert await debit.prendre("smpp") == 0

    sommeils.pendant = [un_autre_passe]
    await debit.attendre("smpp")
    assert sommeils.durees == [2, 2]


async def test_qui_demande_trop_n_attend_pas_sans_fin(sommeils: Sommeils) -> None:
    debit = RateLimiter(connecter(PERSONNE), {"smpp": Limite(par_seconde=0.5, rafale=2)}, monotonic=sommeils.montre)
    with pytest.raises(ValueError, match="de 1 à 2 messages"):
        await debit.attendre("smpp", 3)
    assert sommeils.durees == []


async def test_un_seau_oublie_ne_reste_pas_dans_redis(redis: Redis) -> None:
    await RateLimiter(redis, {"smpp": LENT}).prendre("smpp")
    assert 0 < await redis.pttl("debit:smpp") <= 1_001_000


async def test_sans_redis_chaque_processus_compte_seul_puis_de_nouveau_avec_les_autres(serveur: Serveur) -> None:
    montre = Montre()
    async with ouvrir(serveur) as redis:
        debit = RateLimiter(redis, {"smpp": Limite(par_seconde=0.5, rafale=2)}, processus=2, monotonic=montre)
        assert await debit.prendre("smpp") == 0
        serveur.arreter()
        try:
            # It begins empty, at half of the rate since two share it.
            assert await debit.prendre("smpp") == 4
            montre.secondes += 4
            assert await debit.prendre("smpp") == 0
            assert await debit.prendre("smpp") == 4
            montre.secondes += 3600
            assert [await debit.prendre("smpp") for _ in range(3)] == [0, 0, 4]
        finally:
            serveur.demarrer()
        # Redis is not asked again before a second has passed.
        assert await debit.prendre("smpp") == 4
        montre.secondes += 1
        assert [await debit.prendre("smpp") for _ in range(2)] == [0, 0]
        assert await redis.exists("debit:smpp")


async def test_ce_qui_ne_pourra_jamais_etre_pris_est_refuse(redis: Redis) -> None:
    debit = RateLimiter(redis, {"smpp": LENT})
    for n in (0, -1, 11):
        with pytest.raises(ValueError, match="de 1 à 10 messages"):
            await debit.prendre("smpp", n)
    with pytest.raises(ValueError, match="au moins un processus"):
        RateLimiter(redis, {}, processus=0)


@pytest.mark.parametrize(("par_seconde", "rafale"), [(0, 1), (-1, 1), (float("nan"), 1), (float("inf"), 1), (1, 0)])
def test_un_debit_impossible_est_refuse(par_seconde: float, rafale: int) -> None:
    with pytest.raises(ValueError, match="débit est positif"):
        Limite(par_seconde, rafale)


def test_les_debits_se_lisent_par_fournisseur() -> None:
    assert lire_limites("smpp=20, relais.example:25=0.5", 16) == {
        "smpp": Limite(20, 20),
        "relais.example:25": Limite(0.5, 16),
    }
    assert lire_limites("", 16) == {}


@pytest.mark.parametrize("texte", ["smpp", "smpp=", "=3", "smpp=vite", "smpp=0", "smpp=nan", "smpp=1,smpp=2"])
def test_un_debit_illisible_arrete_le_demarrage(texte: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 — the reasons differ
        lire_limites(texte, 16)
