"""`python -m services.matching api|worker`."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

from kit.http.health import Health
from kit.lifecycle import Loop, main
from services.matching.app import create
from services.matching.settings import SERVICE, Reglages


def _start(settings: Reglages, health: Health) -> AbstractAsyncContextManager[Sequence[Loop]]:
    # Imported here because Faust takes half a second to load and the API does not need it.
    from services.matching.worker import start

    return start(settings, health)


if __name__ == "__main__":
    main(SERVICE, Reglages, create, _start)
