"""`python -m services.moderation api|worker`."""

from kit.process import main
from services.moderation.app import create
from services.moderation.settings import SERVICE, Reglages
from services.moderation.worker import start

if __name__ == "__main__":
    main(SERVICE, Reglages, create, start)
