"""JSON API for moderators: queue, claim, decision, trust, audit trail. Every route requires the role moderateur."""

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt

from contracts.moderation import Issue, Motif, TypeCible
from kit.http.tokens import Identity, requires
from services.moderation import queries, views
from services.moderation.actions import Actions
from services.moderation.domain import Dossier, Etat
from services.moderation.motifs import EXPLICATION_MAX

router = APIRouter(prefix="/v1/moderation", tags=["modération"])

Moderateur = Annotated[Identity, Depends(requires("moderateur"))]
NumeroDePage = Annotated[int, Query(ge=1, le=10_000)]
TailleDePage = Annotated[int, Query(ge=1, le=100)]


async def actions(request: Request) -> Actions:
    found: Actions = request.app.state.deps
    return found


Agir = Annotated[Actions, Depends(actions)]


class _Corps(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class MotifDonne(_Corps):
    """`explication` is added to the sentence of the list; `engagement` and `passage` are for the values of the Republic
    only."""

    code: str = Field(min_length=1, max_length=64)
    explication: str = Field(default="", max_length=EXPLICATION_MAX)
    engagement: StrictInt | None = Field(default=None, ge=1, le=7)
    passage: str | None = Field(default=None, max_length=5000)


class DecisionDonnee(_Corps):
    issue: Issue
    motifs: list[MotifDonne] = Field(default=[], max_length=10)
    jeton_bail: StrictInt


class ConfianceDonnee(_Corps):
    confiance: StrictBool


def _json(body: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(body), status_code=status, media_type="application/json")


def _bail(dossier: Dossier) -> dict[str, Any]:
    expire_at = views.instant(dossier.bail.expire_at) if dossier.bail else None
    return {"dossier_id": dossier.dossier_id, "jeton_bail": dossier.jeton, "expire_at": expire_at}


@router.get("/dossiers", response_model=views.PageDossiers)
async def lister(
    qui: Moderateur,
    agir: Agir,
    etat: Etat | None = None,
    type: TypeCible | None = None,
    cible_id: Annotated[str | None, Query(max_length=64)] = None,
    page: NumeroDePage = 1,
    taille: TailleDePage = 20,
) -> Response:
    """Lists dossiers in the order of the queue. Without `etat`: all open ones."""
    now = agir.clock.now()
    file = await agir.store.file(now, etat=etat, cible=type, cible_id=cible_id, page=page, taille=taille)
    dossiers = [views.resume(dossier, now, qui.sub) for dossier in file.rows]
    return _json({"dossiers": dossiers, "total": file.total, "page": page, "taille": taille})


@router.get("/dossiers/{dossier_id}", response_model=views.DossierOuvert)
async def lire(dossier_id: str, qui: Moderateur, agir: Agir) -> Response:
    """Text, hints with their positions, history of the association, and the reasons that can be chosen."""
    ouvert = await queries.ouvrir(agir.store, dossier_id)
    return _json(
        views.detail(
            ouvert.dossier,
            agir.clock.now(),
            qui.sub,
            indices=ouvert.indices,
            historique=ouvert.historique,
            decisions=ouvert.decisions,
        )
    )


@router.post("/suivant", response_model=views.Prise, responses={204: {"description": "Rien n’attend."}})
async def suivant(qui: Moderateur, agir: Agir) -> Response:
    """Claims the first free dossier: {dossier_id, jeton_bail, expire_at}; 204 when nothing waits."""
    dossier = await agir.suivant(qui.sub)
    return _json(_bail(dossier)) if dossier else Response(status_code=204)


@router.post("/dossiers/{dossier_id}/prise", response_model=views.Prise)
async def prendre(dossier_id: str, qui: Moderateur, agir: Agir) -> Response:
    """Claims the dossier, or extends the caller's claim: {dossier_id, jeton_bail, expire_at}; 409 when another
    moderator holds it."""
    return _json(_bail(await agir.prendre(dossier_id, qui.sub)))


@router.post("/dossiers/{dossier_id}/liberation", status_code=204)
async def liberer(dossier_id: str, qui: Moderateur, agir: Agir) -> Response:
    """Releases the claim. Releasing a free dossier changes nothing."""
    await agir.liberer(dossier_id, qui.sub)
    return Response(status_code=204)


@router.post("/dossiers/{dossier_id}/reouverture", response_model=views.VueDossier)
async def rouvrir(dossier_id: str, qui: Moderateur, agir: Agir) -> Response:
    """Puts an approved annonce back in the queue: the moderator leaves it online or withdraws it."""
    return _json(views.resume(await agir.rouvrir(dossier_id), agir.clock.now(), qui.sub))


@router.post("/dossiers/{dossier_id}/decision", response_model=views.VueDossier)
async def decider(dossier_id: str, decision: DecisionDonnee, qui: Moderateur, agir: Agir) -> Response:
    """Decides with the token of the claim; 409 when a newer claim exists."""
    motifs = [Motif(**motif.model_dump()) for motif in decision.motifs]
    dossier = await agir.decider(dossier_id, qui.sub, decision.jeton_bail, decision.issue, motifs)
    return _json(views.resume(dossier, agir.clock.now(), qui.sub))


@router.get("/associations", response_model=views.PageAssociations)
async def lister_associations(_: Moderateur, agir: Agir, page: NumeroDePage = 1, taille: TailleDePage = 20) -> Response:
    trouvees, historiques = await queries.associations(agir.store, page, taille)
    rows = [views.association(row, historiques.get(row["_id"], {})) for row in trouvees.rows]
    return _json({"associations": rows, "total": trouvees.total, "page": page, "taille": taille})


@router.put("/associations/{association_id}/confiance", response_model=views.Confiance)
async def accorder_confiance(association_id: str, corps: ConfianceDonnee, qui: Moderateur, agir: Agir) -> Response:
    """Sets whether its annonces are published at once under the policy "confiance"."""
    row = await agir.accorder_confiance(association_id, corps.confiance, qui.sub)
    return _json({"association_id": row["_id"], "nom": row["nom"], "confiance": row["confiance"]})


@router.get("/journal", response_model=views.PageJournal)
async def journal(
    _: Moderateur, agir: Agir, issue: Issue | None = None, page: NumeroDePage = 1, taille: TailleDePage = 20
) -> Response:
    """The audit trail, newest first."""
    found = await agir.store.journal(issue=issue, page=page, taille=taille)
    rows = [views.entree(row) for row in found.rows]
    return _json({"decisions": rows, "total": found.total, "page": page, "taille": taille})
