"""`python -m gateway api`, and `python -m gateway moderateur ADRESSE`, which grants the role."""

import asyncio
import sys

from pymongo.errors import PyMongoError

from gateway.app import SERVICE, create, gestion
from gateway.memory import Memory, MemoryAway
from gateway.settings import Reglages
from gateway.store import Comptes
from gateway.upstream import Services
from kit.health import Health
from kit.problems import Problem
from kit.process import run_api
from kit.runtime import open_runtime
from kit.tokens import TokenSigner


async def moderateur(settings: Reglages, adresse: str) -> str:
    """Grants the role to the account of `adresse`; returns the sentence to print. Raises Problem for a bad address."""
    memory = Memory(settings.redis_url)
    services = Services(settings.services, TokenSigner(settings.jeton_cle_privee), settings.delai_service_s)
    async with open_runtime(SERVICE, settings, Health()) as runtime:
        try:
            await Comptes(runtime.mongo.db).create_indexes()
            compte = await gestion(settings, runtime, memory, services).nommer_moderateur(adresse)
        finally:
            await memory.close()
    return f"Le compte {compte.compte_id} est modérateur. Il se connecte sur {settings.public_url}/connexion"


def main(arguments: list[str]) -> None:
    if arguments == ["api"]:
        settings = Reglages()
        run_api(SERVICE, settings, create(settings))
    elif len(arguments) == 2 and arguments[0] == "moderateur":
        try:
            print(asyncio.run(moderateur(Reglages(), arguments[1])))  # noqa: T201  # a command speaks on standard output
        except Problem as problem:
            sys.exit(problem.detail)
        except (MemoryAway, PyMongoError) as error:
            sys.exit(f"MongoDB ou Redis ne répond pas ({type(error).__name__}) : vérifiez MONGO_URL et REDIS_URL.")
    else:
        sys.exit("Usage : python -m gateway api | python -m gateway moderateur ADRESSE")


if __name__ == "__main__":
    main(sys.argv[1:])
