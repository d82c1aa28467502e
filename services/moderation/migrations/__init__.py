"""Steps that bring the data of older versions to this one, in their order (kit/migrations.py)."""

from collections.abc import Sequence

from kit.migrations import Migration
from services.moderation.migrations import m0001_lieux_arrondis

MIGRATIONS: Sequence[Migration] = (m0001_lieux_arrondis.appliquer,)
