"""Indexes and migrations of the database of moderation."""

from kit.database.indexes import Index
from kit.database.migrations import Schema
from services.moderation.migrations import MIGRATIONS

INDEXES = (
    Index("dossiers", [("etat", 1), ("rang", 1), ("recu_at", 1), ("_id", 1)]),
    Index("dossiers", [("cible_id", 1), ("version", -1)]),
    Index("dossiers", [("auteur.association_id", 1), ("recu_at", -1)]),
    Index("dossiers", [("auteur.compte_id", 1), ("recu_at", -1)]),
    Index("decisions", [("at", -1), ("_id", 1)]),
    Index("decisions", [("association_id", 1), ("cible_type", 1), ("issue", 1)]),
    Index("decisions", [("auteur_compte_id", 1)]),
    Index("decisions", [("dossier_id", 1)]),
    Index("associations", [("nom", 1)]),
)

SCHEMA = Schema(INDEXES, MIGRATIONS)
