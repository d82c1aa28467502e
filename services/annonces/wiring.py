"""Puts the parts together, the same for the api and the worker."""

from kit.database.encryption import Cipher
from kit.http.internal_calls import InternalApi
from kit.http.tokens import TokenSigner
from kit.resources import Runtime
from services.annonces.actions import Deps
from services.annonces.conversations.rendez_vous import TableRendezVous
from services.annonces.conversations.store import Conversations
from services.annonces.settings import SERVICE, Reglages
from services.annonces.store import Store


def monter(runtime: Runtime, settings: Reglages) -> Deps:
    """Raises ValueError for a key that cannot be right: better at the start than at the first message."""
    store = Store(runtime.mongo.db)
    cipher = Cipher(settings.cle_messages, "cle_messages")
    signer = TokenSigner(settings.jeton_cle_privee, issuer=SERVICE)
    return Deps(
        store,
        runtime.outbox,
        runtime.clock,
        settings,
        Conversations(store, cipher),
        TableRendezVous(runtime.mongo.db, cipher),
        InternalApi(settings.notifications_url, "notifications", signer),
    )
