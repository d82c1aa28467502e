"""Indexes of `envois` that earlier versions made: each costs a write per message, and nothing reads them any more."""

from kit.database.migrations import MigrationContext

_ANCIENS = (
    "reprise_at_1",
    "ouverts_par_profil",
    "ouverts_par_annonce",
    "par_profil",
    "alertes_par_annonce",
    "resumes_dus",
    "par_reference",
)


async def appliquer(base: MigrationContext) -> None:
    await base.drop_indexes("envois", _ANCIENS)
