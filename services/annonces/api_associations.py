"""Routes of associations: sign up, read, correct."""

from fastapi import APIRouter, Response

from contracts.annonces import EtatAssociation
from kit.database.mongo import DuplicateKeyError
from kit.http.problems import Problem, not_found
from kit.http.versions import VersionRead, respond
from kit.ids import new_id
from kit.messaging.outbox import Tx
from services.annonces import associations, views
from services.annonces.associations import ChangementAssociation
from services.annonces.requetes import AssociationDeposee, AssociationModifiee
from services.annonces.store import bson, fiche_association
from services.annonces.web import AvecDeps, AvecPage, Compte, Visiteur, documented

router = APIRouter(tags=["associations"])

_INTROUVABLE = "Cette association"


def _vue(change: ChangementAssociation) -> views.VueAssociationMembre:
    return views.association_membre(change.fiche.association, {"motifs": bson(change.fiche.motifs)})


def _deja_inscrite() -> Problem:
    detail = "Une association est déjà inscrite sous ce numéro\u00a0: demandez à ses membres de vous y ajouter."
    return Problem(409, "deja-inscrite", "Association déjà inscrite", detail)


@router.post(
    "/v1/associations",
    status_code=201,
    summary="Inscrire une association",
    response_model=views.VueAssociationMembre,
    responses=documented(401, 409, 422),
)
async def inscrire(saisie: AssociationDeposee, compte: Compte, deps: AvecDeps) -> Response:
    change = associations.inscrire(
        new_id(),
        saisie.presentation(),
        compte_id=compte.sub,
        version_engagement=saisie.version_engagement(),
        now=deps.clock.now(),
    )

    async def work(tx: Tx) -> None:
        await deps.store.inserer_association(change.fiche, tx.session)
        if change.evenement is not None:
            tx.emit(change.evenement)

    try:
        await deps.outbox.run(work)
    except DuplicateKeyError as error:
        raise _deja_inscrite() from error
    return respond(_vue(change), 201, location=f"/v1/associations/{change.fiche.association.association_id}")


@router.get(
    "/v1/associations/{association_id}",
    summary="Lire une association",
    response_model=views.VueAssociationMembre | views.VueAssociation,
    responses=documented(404),
)
async def lire(association_id: str, visiteur: Visiteur, deps: AvecDeps) -> Response:
    document = await deps.store.association(association_id)
    if document is None:
        raise not_found(_INTROUVABLE)
    association = fiche_association(document).association
    gerable = visiteur.sub in association.membres
    if gerable or "moderateur" in visiteur.roles:
        return respond(views.association_membre(association, document, gerable=gerable))
    if association.etat is not EtatAssociation.VALIDEE:
        raise not_found(_INTROUVABLE)
    return respond(views.association_publique(association))


@router.put(
    "/v1/associations/{association_id}",
    summary="Corriger une association, qui est alors relue",
    response_model=views.VueAssociationMembre,
    responses=documented(401, 404, 409, 412, 422, 428),
)
async def corriger(
    association_id: str, saisie: AssociationModifiee, compte: Compte, version: VersionRead, deps: AvecDeps
) -> Response:
    async def work(tx: Tx) -> ChangementAssociation:
        document = await deps.store.association(association_id, tx.session)
        if document is None or compte.sub not in document["membres"]:
            raise not_found(_INTROUVABLE)
        change = associations.corriger(fiche_association(document), saisie.presentation(), version_lue=version)
        await deps.store.enregistrer_association(change.fiche, tx.session)
        if change.evenement is not None:
            tx.emit(change.evenement)
        return change

    try:
        change = await deps.outbox.run(work)
    except DuplicateKeyError as error:
        raise _deja_inscrite() from error
    return respond(_vue(change))


@router.get(
    "/v1/mes/associations",
    summary="Mes associations",
    response_model=views.PageMesAssociations,
    responses=documented(401),
)
async def miennes(compte: Compte, deps: AvecDeps, page: AvecPage) -> Response:
    documents, total = await deps.store.mes_associations(compte.sub, page.page, page.taille)
    found = [views.association_membre(fiche_association(document).association, document) for document in documents]
    return respond(views.PageMesAssociations(associations=found, total=total, page=page.page, taille=page.taille))
