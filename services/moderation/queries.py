"""Reads for the JSON API and the pages: a dossier with hints and history, lists, counts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kit.http.problems import not_found
from services.moderation.domain import Dossier
from services.moderation.hints import Indice, indices
from services.moderation.store import Page, Store

_DECISIONS_MONTREES = 20


@dataclass(frozen=True)
class Ouvert:
    """A dossier with what is needed to read it. `historique`: issue → number of decisions about annonces of its
    association."""

    dossier: Dossier
    indices: list[Indice]
    association: Mapping[str, Any] | None
    historique: Mapping[str, int]
    decisions: list[Mapping[str, Any]]


async def ouvrir(store: Store, dossier_id: str) -> Ouvert:
    """Raises a 404 problem. Hints are computed at each read, so that new rules also apply to waiting dossiers."""
    dossier = await store.dossier(dossier_id)
    if dossier is None:
        raise not_found("Ce dossier")
    association_id = dossier.auteur.association_id
    historiques = await store.historique([association_id]) if association_id else {}
    decisions = await store.journal(dossier_id=dossier_id, taille=_DECISIONS_MONTREES)
    return Ouvert(
        dossier,
        indices(dossier.titre, dossier.description, await store.titres_recents(dossier)),
        await store.association(association_id),
        historiques.get(association_id or "", {}),
        decisions.rows,
    )


async def associations(store: Store, page: int, taille: int) -> tuple[Page, dict[str, dict[str, int]]]:
    """A page of associations, and the history of each one."""
    trouvees = await store.associations(page=page, taille=taille)
    return trouvees, await store.historique([row["_id"] for row in trouvees.rows])
