"""Puts the parts together, the same for the api and the worker."""

from kit.encryption import Cipher
from kit.resources import Runtime
from services.annonces.actions import Deps
from services.annonces.conversation_store import Conversations
from services.annonces.rendez_vous import TableRendezVous
from services.annonces.settings import Reglages
from services.annonces.store import Store


def monter(runtime: Runtime, settings: Reglages) -> Deps:
    """Raises ValueError for a key that cannot be right."""
    store = Store(runtime.mongo.db)
    cipher = Cipher(settings.cle_messages, "cle_messages")
    return Deps(
        store,
        runtime.outbox,
        runtime.clock,
        settings,
        Conversations(store, cipher),
        TableRendezVous(runtime.mongo.db, cipher),
    )
