"""For an operator's account (./place bilan): which annonces were published, so that others can say what they did."""

from typing import Any

import orjson
from fastapi import APIRouter, Depends, Response
from pydantic import Field

from contracts.annonces import EvenementAnnonce
from contracts.commun import Identifiant, Instant
from kit.http.tokens import requires
from services.annonces.saisie import Requete
from services.annonces.web import AvecDeps

_PAGE = 2000

router = APIRouter(prefix="/v1/interne", dependencies=[Depends(requires("systeme"))], include_in_schema=False)


class DemandePublications(Requete):
    """Published from `debut` on, before `fin`; of `annonce_ids` only, when given; `apres`: the last id of a page."""

    debut: Instant | None = None
    fin: Instant | None = None
    annonce_ids: list[Identifiant] | None = Field(default=None, max_length=500)
    apres: Identifiant | None = None


@router.post("/publications")
async def lire_publications(demande: DemandePublications, deps: AvecDeps) -> Response:
    """{publications: [{annonce_id, titre, publiee_at, a_publier}], suite}. `a_publier`: an event about it waits to be
    published; `suite`, when there is more, is the next `apres`."""
    publications = await deps.store.publications(demande.debut, demande.fin, demande.annonce_ids, demande.apres, _PAGE)
    attendent = await deps.store.a_publier(EvenementAnnonce.topic)
    corps: dict[str, Any] = {
        "publications": [{**une, "a_publier": une["annonce_id"] in attendent} for une in publications],
        "suite": publications[-1]["annonce_id"] if len(publications) == _PAGE else None,
    }
    return Response(orjson.dumps(corps), media_type="application/json")
