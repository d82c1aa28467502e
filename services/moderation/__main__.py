"""`python -m services.moderation api|worker`."""

from kit.lifecycle import main
from services.moderation.app import create
from services.moderation.settings import SERVICE, Reglages
from services.moderation.worker import start

if __name__ == "__main__":
    main(SERVICE, Reglages, create, start)
