"""What the database of matching looks like: its indexes, and the migrations that bring older data to it."""

from kit.indexes import Index
from kit.migrations import Schema

INDEXES = (
    Index("profils", [("compte_id", 1), ("cree_at", 1)]),
    Index("profils", [("desactive_at", 1)], options={"sparse": True}),
    Index("correspondances", [("annonce_id", 1)]),
)

SCHEMA = Schema(INDEXES)
