"""What the database of the gateway looks like: its indexes, and the migrations that bring older data to it."""

from kit.database.indexes import Index
from kit.database.migrations import Schema

INDEXES = (
    # One account per address.
    Index(
        "comptes",
        [("empreinte", 1)],
        options={"unique": True, "partialFilterExpression": {"empreinte": {"$type": "string"}}},
    ),
)

SCHEMA = Schema(INDEXES)
