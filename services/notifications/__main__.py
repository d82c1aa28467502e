"""`python -m services.notifications api|worker|entrant`."""

from kit.lifecycle import main
from services.notifications import entrant
from services.notifications.app import create
from services.notifications.settings import SERVICE, Reglages
from services.notifications.worker import start

if __name__ == "__main__":
    main(SERVICE, Reglages, create, start, {"entrant": entrant.start})
