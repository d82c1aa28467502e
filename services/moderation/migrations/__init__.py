"""Migrations of the database of moderation, in order (kit/database/migrations.py)."""

from collections.abc import Sequence

from kit.database.migrations import Migration
from services.moderation.migrations import m0001_lieux_arrondis

MIGRATIONS: Sequence[Migration] = (m0001_lieux_arrondis.appliquer,)
