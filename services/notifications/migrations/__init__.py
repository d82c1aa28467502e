"""Steps that bring the data of older versions to this one, in their order (kit/database/migrations.py)."""

from collections.abc import Sequence

from kit.database.migrations import Migration
from services.notifications.migrations import (
    m0001_anciens_index,
    m0002_baux,
    m0003_anciennes_alertes,
    m0004_flux,
    m0005_lieux,
)

MIGRATIONS: Sequence[Migration] = (
    m0001_anciens_index.appliquer,
    m0002_baux.appliquer,
    m0003_anciennes_alertes.appliquer,
    m0004_flux.appliquer,
    m0005_lieux.appliquer,
)
