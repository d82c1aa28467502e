"""What the database of annonces looks like: its indexes, and the migrations that bring older data to it."""

from kit.database.indexes import Index
from kit.database.migrations import Schema
from services.annonces.migrations import MIGRATIONS

INDEXES = (
    Index(
        "annonces",
        [("titre", "text"), ("description", "text")],
        name="texte",
        options={"default_language": "french", "weights": {"titre": 5, "description": 1}},
    ),
    Index("annonces", [("position", "2dsphere")]),
    Index("annonces", [("etat", 1), ("publiee_at", -1)]),
    Index("annonces", [("etat", 1), ("expire_at", 1)]),
    Index("annonces", [("date_debut", 1)]),
    Index("annonces", [("a_dire.dire_at", 1)], options={"sparse": True}),
    Index("annonces", [("auteur.compte_id", 1), ("deposee_at", -1)]),
    Index("annonces", [("auteur.association_id", 1), ("deposee_at", -1)]),
    Index("associations", [("membres", 1)]),
    Index(
        "associations",
        [("numeros", 1)],
        options={"unique": True, "partialFilterExpression": {"numeros": {"$exists": True}}},
    ),
    Index("reponses", [("annonce_id", 1), ("deposee_at", -1)]),
    Index("reponses", [("annonce_id", 1), ("etat", 1), ("rang", 1)]),
    Index("reponses", [("compte_id", 1), ("deposee_at", -1)]),
    Index(
        "reponses",
        [("annonce_id", 1), ("compte_id", 1)],
        name="une_active",
        options={"unique": True, "partialFilterExpression": {"active": True}},
    ),
    Index("messages", [("conversation_id", 1), ("ecrit_at", -1)]),
    Index("messages", [("de", 1), ("ecrit_at", -1)]),
    Index("messages", [("purge_at", 1)], expires_s=0),
    Index("rendez_vous", [("purge_at", 1)], expires_s=0),
)

SCHEMA = Schema(INDEXES, MIGRATIONS)
