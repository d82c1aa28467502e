"""python -m services.notifications api | worker"""

import sys

from kit.process import run_api, run_worker
from services.notifications.app import create
from services.notifications.settings import Reglages
from services.notifications.worker import start

_USAGE = "Usage : python -m services.notifications api|worker"


def main() -> None:
    settings = Reglages()
    match sys.argv[1:]:
        case ["api"]:
            run_api("notifications", settings, create(settings))
        case ["worker"]:
            run_worker("notifications", settings, lambda health: start(settings, health))
        case _:
            sys.exit(_USAGE)


if __name__ == "__main__":
    main()
