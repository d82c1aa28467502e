"""Routes: the profils of the caller, bulk import, and checks for operators. The gateway calls them with a token that
names the caller."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Request, Response
from pydantic import BaseModel

from contracts.annonces import Annonce
from contracts.commun import Identifiant
from contracts.matching import Profil, ProfilDesactive, ProfilEnregistre
from kit.http.problems import Problem, not_found
from kit.http.tokens import Identity, account, requires
from kit.http.versions import VersionRead, respond, stale
from kit.ids import new_id
from kit.messaging.outbox import Tx
from kit.resources import Runtime
from services.matching import domain, scoring, store
from services.matching.requetes import AnnonceEnLigne, Souhaits, SouhaitsImportes
from services.matching.settings import Reglages

IMPORT_MAX = 1000
SUIVIS_MAX = 500
CONCERNES_PAGE = 2000
ANNONCES_MAX = 100

router = APIRouter(prefix="/v1")
Caller = Annotated[Identity, Depends(account)]


class ProfilsDuCompte(BaseModel):
    profils: list[Profil]


class AnnoncesDuProfil(BaseModel):
    """Ids, best first."""

    annonces: list[Identifiant]


async def runtime(request: Request) -> Runtime:
    found: Runtime = request.app.state.runtime
    return found


async def settings(request: Request) -> Reglages:
    found: Reglages = request.app.state.settings
    return found


Ours = Annotated[Runtime, Depends(runtime)]


@router.post(
    "/profils",
    status_code=201,
    response_model=Profil,
    responses={200: {"model": Profil, "description": "Ce profil existait déjà."}},
)
async def creer(
    souhaits: Souhaits, caller: Caller, ours: Ours, limits: Annotated[Reglages, Depends(settings)]
) -> Response:
    """A profil that asks for the same as one of the caller’s is that one: 200."""
    now = ours.clock.now()

    async def work(tx: Tx) -> tuple[Profil, bool]:
        miens = await store.profils_du_compte(tx.db, caller.sub, tx)
        profil = domain.nouveau(new_id(), caller.sub, souhaits.champs(), now)
        if (connu := domain.jumeau(profil, miens)) is not None:
            return connu, False
        if len(miens) >= limits.profils_max:
            detail = f"Un compte peut avoir {limits.profils_max} profils d’alerte au plus. Modifiez-en un."
            raise Problem(409, "trop-de-profils", "Trop de profils", detail)
        # Of the same form sent twice at once only one is stored: both take the same rank.
        await store.ajouter_au_rang(tx, profil, len(miens))
        tx.emit(ProfilEnregistre(profil=profil))
        return profil, True

    profil, nouveau = await ours.outbox.run_or_find(work)
    return respond(profil, 201 if nouveau else 200, location=f"/v1/profils/{profil.profil_id}")


@router.get("/profils", response_model=ProfilsDuCompte)
async def lister(caller: Caller, ours: Ours) -> Response:
    mine = await store.profils_du_compte(ours.mongo.db, caller.sub)
    body = b'{"profils":[' + b",".join(profil.model_dump_json().encode() for profil in mine) + b"]}"
    return Response(body, media_type="application/json")


@router.get("/profils/{profil_id}", response_model=Profil)
async def lire(profil_id: str, caller: Caller, ours: Ours) -> Response:
    return respond(_mine(await store.profil(ours.mongo.db, profil_id), caller))


@router.put("/profils/{profil_id}", response_model=Profil)
async def modifier(profil_id: str, souhaits: Souhaits, caller: Caller, ours: Ours, version: VersionRead) -> Response:
    async def work(tx: Tx) -> Profil:
        profil = _mine(await store.profil(tx.db, profil_id, tx), caller)
        if version != profil.version:
            raise stale(profil.version)
        changed = domain.modifier(profil, souhaits.champs())
        if domain.jumeau(changed, await store.profils_du_compte(tx.db, caller.sub, tx)) is not None:
            detail = "Vous avez déjà une alerte qui demande la même chose. Arrêtez celle-ci, ou changez un choix."
            raise Problem(409, "profil-existant", "Alerte déjà enregistrée", detail)
        await _replace(tx, changed, ours)
        tx.emit(ProfilEnregistre(profil=changed))
        return changed

    return respond(await ours.outbox.run(work))


@router.post("/profils/{profil_id}/annonces", response_model=AnnoncesDuProfil)
async def choisir(
    profil_id: str,
    annonces: Annotated[list[AnnonceEnLigne], Body(embed=True, max_length=ANNONCES_MAX)],
    caller: Caller,
    ours: Ours,
) -> AnnoncesDuProfil:
    """Which of these annonces the profil would be alerted of."""
    profil = _mine(await store.profil(ours.mongo.db, profil_id), caller)
    trouves = {a.annonce_id: match for a in annonces if (match := scoring.correspond(a.annonce(), profil)) is not None}
    return AnnoncesDuProfil(annonces=sorted(trouves, key=lambda id_: (*scoring.ordre(trouves[id_]), id_)))


@router.post("/profils/{profil_id}/desactiver", response_model=Profil)
async def desactiver(profil_id: str, caller: Caller, ours: Ours) -> Response:
    return respond(await _desactiver(profil_id, caller, ours))


@router.delete("/profils/{profil_id}", status_code=204)
async def supprimer(profil_id: str, caller: Caller, ours: Ours) -> Response:
    await _desactiver(profil_id, caller, ours)
    return Response(status_code=204)


@router.post("/interne/profils", status_code=201, dependencies=[Depends(requires("systeme"))])
async def importer(
    souhaits: Annotated[list[SouhaitsImportes], Body(min_length=1, max_length=IMPORT_MAX)], ours: Ours
) -> dict[str, int]:
    """Adds many profils at once (within the body limit of 256 KiB). A profil whose `profil_id` exists is not
    changed."""
    now = ours.clock.now()
    profils = {
        profil.profil_id: profil
        for profil in (domain.nouveau(s.profil_id or new_id(), s.compte_id, s.champs(), now) for s in souhaits)
    }

    async def work(tx: Tx) -> int:
        known = await store.connus(tx, list(profils))
        fresh = [profil for profil in profils.values() if profil.profil_id not in known]
        if fresh:
            await store.ajouter(tx, fresh)
        for profil in fresh:
            tx.emit(ProfilEnregistre(profil=profil))
        return len(fresh)

    added = await ours.outbox.run(work)
    return {"crees": added, "deja_presents": len(souhaits) - added}


@router.post("/interne/suivis", dependencies=[Depends(requires("systeme"))], include_in_schema=False)
async def lire_suivis(
    annonce_ids: Annotated[list[Identifiant], Body(embed=True, min_length=1, max_length=SUIVIS_MAX)], ours: Ours
) -> dict[str, Any]:
    """What matching knows of some annonces, for ./place bilan: {suivis: [{annonce_id, version, etat, appariee}]}."""
    return {"suivis": await store.suivis(ours.mongo.db, annonce_ids)}


@router.post("/interne/concernes", dependencies=[Depends(requires("systeme"))], include_in_schema=False)
async def lire_concernes(
    annonce: Annonce, ours: Ours, apres: Annotated[Identifiant | None, Body()] = None
) -> dict[str, Any]:
    """Whom an annonce concerns, for checks: compares it with each stored profil, without the index.

    Reads one page of CONCERNES_PAGE profils, small enough not to delay other requests. Answers {concernes: [{profil_id,
    compte_id}], suite}; `suite` is the `apres` of the next page, or null.
    """
    profils = await store.page_des_profils(ours.mongo.db, apres, CONCERNES_PAGE)
    concernes = [
        {"profil_id": profil.profil_id, "compte_id": profil.compte_id}
        for profil in profils
        if scoring.correspond(annonce, profil) is not None
    ]
    return {"concernes": concernes, "suite": profils[-1].profil_id if len(profils) == CONCERNES_PAGE else None}


async def _desactiver(profil_id: str, caller: Identity, ours: Runtime) -> Profil:
    async def work(tx: Tx) -> Profil:
        profil = _mine(await store.profil(tx.db, profil_id, tx), caller)
        desactive = domain.desactiver(profil)
        if desactive is None:
            return profil
        await _replace(tx, desactive, ours)
        tx.emit(ProfilDesactive(profil=desactive))
        return desactive

    return await ours.outbox.run(work)


def _mine(profil: Profil | None, caller: Identity) -> Profil:
    if profil is None or profil.compte_id != caller.sub:
        raise not_found("Ce profil d’alerte")
    return profil


async def _replace(tx: Tx, profil: Profil, ours: Runtime) -> None:
    if not await store.remplacer(tx, profil, ours.clock.now()):
        raise stale(profil.version)
