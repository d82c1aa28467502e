"""Fixtures that all tests share: real servers once a session, secrets, internal tokens, waiting for a condition."""

import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from hypothesis import HealthCheck, settings

from deploy.stack import secrets
from deploy.stack.embedded import Stack
from deploy.stack.servers.waiting import Patience
from kit.http.tokens import TokenSigner
from tests import attente
from tests.pile import Ville
from tests.pile import pile as start_pile
from tests.pile import ville as enter_ville
from tests.receveur import Receveur, receveur
from tests.serveurs import Serveurs
from tests.serveurs import serveurs as start_serveurs

# Property tests judge what is right, never how fast a busy machine is.
settings.register_profile("repetable", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
settings.register_profile("longtemps", settings.get_profile("repetable"), derandomize=False)


def pytest_configure() -> None:
    """However a run is ended, it takes down what it has started.

    By default SIGTERM would end it alone, and a run that a script starts in the background ignores SIGINT.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)


# Named first, it is the first to be set up and the last to be taken down.
@pytest.fixture(scope="session", autouse=True)
def _nothing_stays_behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No process that a test started outlives the run: neither a child, nor one with a file of ours in its command."""
    yield
    patience = Patience(10)
    while (left := _left_behind(f"{tmp_path_factory.getbasetemp()}/")) and not patience.over():
        time.sleep(0.05)
    assert left == []


def _left_behind(folder: str) -> list[str]:
    children = psutil.Process().children(recursive=True)
    strangers = [process for process in psutil.process_iter() if process not in children]
    left = []
    for process in (*children, *strangers):
        with suppress(psutil.Error):
            command = " ".join(process.cmdline())
            # The helpers of multiprocessing end with us; a zombie has no command any more.
            if (process in children and command and "multiprocessing." not in command) or folder in command:
                left.append(command)
    return left


@pytest.fixture(scope="session")
def serveurs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serveurs]:
    """Real MongoDB, Redis and Kafka. Tests share them: use random ids, never count what others may have written."""
    with start_serveurs(tmp_path_factory.mktemp("serveurs")) as found:
        yield found


@pytest.fixture(scope="session")
def secrets_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the secrets of an installation."""
    folder = tmp_path_factory.mktemp("secrets")
    secrets.make(folder)
    return folder


@pytest.fixture(scope="session", autouse=True)
def _secrets_of_this_run(secrets_dir: Path) -> None:
    # A process has one private key; here, where all of them are read, that of the gateway must be the last.
    parts = ("commun", "annonces", "notifications", "gateway")
    os.environ["SECRETS_DIR"] = ",".join(str(secrets_dir / part) for part in parts)


@pytest.fixture(scope="session")
def jeton(secrets_dir: Path) -> Callable[..., str]:
    """`jeton("annonces", sub="c1", roles={"systeme"})`: the internal token that the gateway would send."""
    signer = TokenSigner((secrets_dir / "gateway" / "jeton_cle_privee").read_text())

    def make(audience: str, sub: str = "", roles: set[str] | frozenset[str] = frozenset()) -> str:
        return signer.sign(audience, sub, roles)

    return make


@pytest.fixture(scope="session")
def jeton_de(secrets_dir: Path) -> Callable[[str, str], str]:
    """`jeton_de("notifications", "annonces")`: the token that the first service would send to the second."""

    def make(service: str, audience: str) -> str:
        pem = (secrets_dir / service / "jeton_cle_privee").read_text()
        return TokenSigner(pem, issuer=service).sign(audience)

    return make


@pytest.fixture(scope="session")
def bientot() -> attente.Bientot:
    """`await bientot(lambda: condition)`: waits until the condition (plain or async) is true, and returns its value."""
    return attente.bientot


@pytest.fixture(scope="session")
def collecteur() -> Iterator[Receveur]:
    """What the whole system exports of its traces."""
    with receveur() as found:
        yield found


@pytest.fixture(scope="session")
def pile(tmp_path_factory: pytest.TempPathFactory, collecteur: Receveur) -> Iterator[Stack]:
    """The whole system, started once a session: nine processes, three servers, the mail catcher."""
    with start_pile(tmp_path_factory.mktemp("pile"), collecteur.url) as stack:
        yield stack


@pytest.fixture
async def ville(pile: Stack) -> AsyncIterator[Ville]:
    """People on the whole system, new ones for each test."""
    async with enter_ville(pile) as found:
        yield found
