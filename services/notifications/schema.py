"""What the database of notifications looks like: its indexes, and the migrations that bring older data to it."""

from kit.database.indexes import Index
from kit.database.migrations import Schema
from services.notifications.migrations import MIGRATIONS
from services.notifications.registre.erasure import AUTRES_QUE_ALERTES
from services.notifications.settings import Reglages

_JOUR_S = 24 * 3600
_A_REPRENDRE = {"reprise_at": {"$exists": True}}

_DATES = (
    ("envois", "cree_at"),
    ("anciennes_alertes", "cree_at"),
    ("contenus", "cree_at"),
    ("sms_recus", "recu_at"),
    ("retours", "recu_at"),
)
"""The date from which on a row is kept for so long as the ledger."""

_INDEXES = (
    Index(
        "envois",
        [("canal", 1), ("reprise_at", 1)],
        name="a_reprendre",
        options={"partialFilterExpression": _A_REPRENDRE},
    ),
    # Without the provider, which every mark writes.
    Index(
        "envois",
        [("reference", 1)],
        name="references",
        options={"partialFilterExpression": {"reference": {"$exists": True}}},
    ),
    Index("envois", [("compte_id", 1), ("cree_at", -1)]),
    Index("anciennes_alertes", [("annonce_id", 1)]),
    # The rows of a content, but alerts, which are found by their ids: what was erased is erased in them too.
    Index(
        "envois",
        [("contenu_id", 1)],
        name="contenu",
        options={"partialFilterExpression": {"genre": {"$in": AUTRES_QUE_ALERTES}}},
    ),
    Index("baux", [("canal", 1), ("fin_at", 1)], name="echus"),
    Index("contacts", [("purge_at", 1)], expires_s=0),
    Index("contacts", [("empreinte", 1)], options={"sparse": True}),
    Index("contacts", [("empreinte_tel", 1)], options={"sparse": True}),
    Index("contacts", [("flux", 1)], options={"sparse": True}),
    Index("telephones", [("expire_at", 1)], expires_s=0),
    Index("codes_telephone", [("at", 1)], expires_s=_JOUR_S),
    Index("codes_telephone", [("empreinte", 1), ("at", -1)]),
    Index("sms_recus", [("compte_id", 1)]),
    Index("sms_recus", [("de", 1), ("recu_at", -1)]),
    Index("retours", [("applique", 1), ("recu_at", 1)]),
    Index("fils", [("compte_id", 1)]),
    # An expired address is told apart from one that never was for a while.
    Index("fils", [("expire_at", 1)], expires_s=30 * _JOUR_S),
    Index("engagements", [("compte_id", 1), ("deposee_at", -1)]),
    Index("courriels_recus", [("reprise_at", 1)], options={"sparse": True}),
    Index("courriels_recus", [("jetons", 1)]),
    Index("courriels_recus", [("recu_at", 1)], expires_s=7 * _JOUR_S),
    Index("bascules", [("at", -1)]),
)


def schema(settings: Reglages) -> Schema:
    """The ledger is kept for longer than any topic: a replay must still find the row of what was sent."""
    conservation_s = settings.conservation_jours * _JOUR_S
    conservation = [Index(collection, [(date, 1)], expires_s=conservation_s) for collection, date in _DATES]
    return Schema([*_INDEXES, *conservation], MIGRATIONS)
