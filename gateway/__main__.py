"""`python -m gateway api`; `republier`, as for the services; `moderateur [--retirer] ADRESSE`, which grants or takes
the role."""

import asyncio
import sys
from collections.abc import Coroutine
from functools import partial
from typing import Any

from pymongo.errors import PyMongoError

from gateway.app import SERVICE, create, gestion
from gateway.door_rules import connection_owner, networks
from gateway.memory import Memory, MemoryAway
from gateway.schema import SCHEMA
from gateway.settings import Reglages
from gateway.upstream import Services
from kit.http.health import Health
from kit.http.problems import Problem
from kit.http.tokens import TokenSigner
from kit.lifecycle import republish, run_api
from kit.resources import open_runtime

_USAGE = "Usage\u00a0: python -m gateway api | republier | moderateur [--retirer] ADRESSE"


async def moderateur(settings: Reglages, adresse: str, *, retirer: bool) -> str:
    """Grants the role to the account of `adresse`, or takes it; returns the sentence to print.

    Raises Problem for a bad address, or for one without an account whose role is to be taken.
    """
    memory = Memory(settings.redis_url)
    services = Services(settings.services, TokenSigner(settings.jeton_cle_privee), settings.delai_service_s)
    async with open_runtime(SERVICE, settings, Health()) as runtime:
        try:
            await runtime.migrate(SCHEMA)
            comptes = gestion(settings, runtime, memory, services)
            if retirer:
                compte = await comptes.retirer_moderateur(adresse)
                return f"Le compte {compte.compte_id} n’est plus modérateur."
            compte = await comptes.nommer_moderateur(adresse)
        finally:
            await memory.close()
    return f"Le compte {compte.compte_id} est modérateur. Il se connecte sur {settings.public_url}/connexion"


def main(arguments: list[str]) -> None:
    match arguments:
        case ["api"]:
            settings = Reglages()
            owner = partial(connection_owner, trusted=networks(settings.proxys_de_confiance))
            run_api(SERVICE, settings, create(settings), owner)
        case ["moderateur", "--retirer", adresse]:
            _say(moderateur(Reglages(), adresse, retirer=True))
        case ["moderateur", adresse]:
            _say(moderateur(Reglages(), adresse, retirer=False))
        case ["republier"]:
            sys.exit(republish(SERVICE, Reglages()))
        case _:
            sys.exit(_USAGE)


def _say(sentence: Coroutine[Any, Any, str]) -> None:
    try:
        print(asyncio.run(sentence))  # noqa: T201  # a command speaks on standard output
    except Problem as problem:
        sys.exit(problem.detail)
    except (MemoryAway, PyMongoError) as error:
        sys.exit(f"MongoDB ou Redis ne répond pas ({type(error).__name__}) : vérifiez MONGO_URL et REDIS_URL.")


if __name__ == "__main__":
    main(sys.argv[1:])
