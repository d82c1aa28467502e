"""`python -m services.annonces api|worker`."""

from kit.lifecycle import main
from services.annonces.app import create
from services.annonces.settings import SERVICE, Reglages
from services.annonces.worker import start

if __name__ == "__main__":
    main(SERVICE, Reglages, create, start)
