"""Indexes and migrations of the database of matching."""

from kit.database.indexes import Index
from kit.database.migrations import Schema

INDEXES = (
    Index("profils", [("compte_id", 1), ("cree_at", 1)]),
    Index("profils", [("desactive_at", 1)], options={"sparse": True}),
    Index(
        "profils",
        [("compte_id", 1), ("rang", 1)],
        options={"unique": True, "partialFilterExpression": {"rang": {"$exists": True}}},
    ),
    Index("correspondances", [("annonce_id", 1)]),
)

SCHEMA = Schema(INDEXES)
