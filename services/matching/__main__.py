"""`python -m services.matching api|worker`"""

import sys

from kit.process import run_api, run_worker
from services.matching.app import SERVICE, build
from services.matching.settings import MatchingSettings


def main(arguments: list[str]) -> None:
    settings = MatchingSettings()
    match arguments:
        case ["api"]:
            run_api(SERVICE, settings, build(settings))
        case ["worker"]:
            # Faust takes half a second to import; the api does without.
            from services.matching.index import Index
            from services.matching.worker import start_worker

            run_worker(SERVICE, settings, start_worker(settings, Index()))
        case _:
            sys.exit("Usage : python -m services.matching api|worker")


main(sys.argv[1:])
