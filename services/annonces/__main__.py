"""`python -m services.annonces api|worker`."""

import sys

from kit.process import run_api, run_worker
from services.annonces.app import SERVICE, create
from services.annonces.settings import Reglages
from services.annonces.worker import start


def main(arguments: list[str]) -> None:
    settings = Reglages()
    match arguments:
        case ["api"]:
            run_api(SERVICE, settings, create(settings))
        case ["worker"]:
            run_worker(SERVICE, settings, lambda health: start(settings, health))
        case _:
            sys.exit("usage: python -m services.annonces api|worker")


if __name__ == "__main__":
    main(sys.argv[1:])
