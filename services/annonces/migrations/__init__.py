"""Steps that bring the data of older versions to this one, in their order (kit/database/migrations.py)."""

from collections.abc import Sequence

from kit.database.migrations import Migration
from services.annonces.migrations import m0001_lieux_arrondis

MIGRATIONS: Sequence[Migration] = (m0001_lieux_arrondis.appliquer,)
