"""`python -m services.moderation api | worker`."""

import sys

from kit.process import run_api, run_worker
from services.moderation.app import SERVICE, create
from services.moderation.settings import Reglages
from services.moderation.worker import start


def main(arguments: list[str]) -> None:
    settings = Reglages()
    match arguments:
        case ["api"]:
            run_api(SERVICE, settings, create(settings))
        case ["worker"]:
            run_worker(SERVICE, settings, lambda health: start(settings, health))
        case _:
            sys.exit("Usage : python -m services.moderation api|worker")


if __name__ == "__main__":
    main(sys.argv[1:])
