"""Routes of annonces: post, search, read, correct, withdraw."""

import hashlib
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Response

from contracts.annonces import EtatAnnonce, EtatAssociation
from contracts.commun import Auteur, Sens, TypeAuteur
from kit.http.problems import Problem, not_found
from kit.http.tokens import Identity, requires
from kit.http.versions import VersionRead, respond
from kit.ids import new_id, stable_id
from kit.messaging.outbox import Tx
from services.annonces import domain, views
from services.annonces.actions import Deps, appliquer, noter_changement
from services.annonces.conversations.actions import annoncer_rendez_vous
from services.annonces.dates import ChampInvalide
from services.annonces.domain import Fiche
from services.annonces.recherche import FACETTES, Recherche, pipeline
from services.annonces.requetes import AnnonceDeposee, AnnonceModifiee, AuteurSaisi, PlacesSaisies
from services.annonces.store import Document, annonce_de, champs, fiche
from services.annonces.web import INTROUVABLE, AvecDeps, AvecPage, Compte, Visiteur, documented

router = APIRouter(tags=["annonces"])


CleIdempotence = Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=128)]


@router.post(
    "/v1/annonces",
    status_code=201,
    summary="Déposer une annonce",
    response_model=views.VueAnnonceAuteur,
    responses={
        200: {"description": "Déjà déposée sous cette clé", "model": views.VueAnnonceAuteur},
        **documented(401, 403, 404, 422),
    },
)
async def deposer(saisie: AnnonceDeposee, compte: Compte, deps: AvecDeps, cle: CleIdempotence = None) -> Response:
    return await _deposer(saisie, compte, deps, cle)


@router.post(
    "/v1/interne/annonces",
    status_code=201,
    include_in_schema=False,
    dependencies=[Depends(requires("systeme"))],
)
async def reprendre(saisie: AnnonceDeposee, compte: Compte, deps: AvecDeps, cle: CleIdempotence = None) -> Response:
    """As `deposer`, for what no person posts now, in the name of `compte`: its publication alerts nobody."""
    return await _deposer(saisie, compte, deps, cle, sans_alerte=True)


async def _deposer(
    saisie: AnnonceDeposee, compte: Identity, deps: Deps, cle: str | None, *, sans_alerte: bool = False
) -> Response:
    now = deps.clock.now()
    contenu = saisie.contenu(now)
    _verifier_sens(contenu.sens, saisie.auteur.type)
    empreinte = _empreinte(saisie) if cle else None
    annonce_id = stable_id("annonce", compte.sub, cle) if cle else new_id()

    async def work(tx: Tx) -> tuple[Document, bool]:
        if cle:
            existante = await deps.store.annonce(annonce_id, tx.session)
            if existante is not None:
                return existante, False
        auteur = await _auteur(saisie.auteur, compte.sub, tx, deps)
        change = domain.deposer(annonce_id, contenu, auteur, now, sans_alerte=sans_alerte)
        prives = {nom: valeur for nom, valeur in (("siren", saisie.auteur.siren), ("empreinte", empreinte)) if valeur}
        document = await deps.store.inserer(change.fiche, tx.session, **prives)
        if change.evenement is not None:
            tx.emit(change.evenement)
        await _noter_rendez_vous(saisie, change.fiche, compte.sub, tx, deps)
        return document, True

    document, nouvelle = await deps.outbox.run_or_find(work)
    if not nouvelle and document.get("empreinte") != empreinte:
        raise Problem(
            422,
            "cle-reutilisee",
            "Clé d’idempotence déjà utilisée",
            "Cette clé a déjà servi pour une autre annonce\u00a0: prenez-en une nouvelle.",
        )
    return respond(_vue_auteur(document), 201 if nouvelle else 200, location=f"/v1/annonces/{annonce_id}")


def _empreinte(saisie: AnnonceDeposee) -> str:
    """What tells two requests under one key apart. The private texts are left out: a hash of a door code is a guess
    away from the code."""
    return hashlib.sha256(saisie.model_dump_json(exclude={"lieu_prive", "a_apporter"}).encode()).hexdigest()


async def _noter_rendez_vous(saisie: AnnonceModifiee, lue: Fiche, par: str, tx: Tx, deps: Deps) -> None:
    """What the request does not name stays as it is. Accepted people are told what has changed."""
    dits = saisie.model_fields_set & {"lieu_prive", "a_apporter"}
    if dits:
        connu = await deps.rendez_vous.lire(lue.annonce.annonce_id, tx.session)
        voulu = replace(connu, **{nom: getattr(saisie, nom) for nom in dits})
        annonce = lue.annonce
        change = await deps.rendez_vous.noter(annonce.annonce_id, voulu, annonce.expire_at, tx.session)
        if change:
            await annoncer_rendez_vous(tx, deps, annonce.annonce_id, par)


def _verifier_sens(sens: Sens, auteur: TypeAuteur) -> None:
    if sens is Sens.BESOIN and auteur is not TypeAuteur.ASSOCIATION:
        raise ChampInvalide("sens", "Seules les associations déposent des besoins\u00a0; proposez plutôt une offre.")


async def _auteur(saisi: AuteurSaisi, compte_id: str, tx: Tx, deps: Deps) -> Auteur:
    """Who posts. Raises a 404 problem for an association of others, a 403 one while it is not validated."""
    if saisi.association_id is None:
        return Auteur(type=saisi.type, compte_id=compte_id, nom=saisi.nom)
    association = await deps.store.association(saisi.association_id, tx.session)
    if association is None or compte_id not in association["membres"]:
        raise not_found("Cette association")
    if association["etat"] != EtatAssociation.VALIDEE.value:
        raise Problem(
            403,
            "association-non-validee",
            "Association non validée",
            "Cette association n’est pas encore validée par la modération\u00a0: patientez jusque-là.",
        )
    return Auteur(
        type=saisi.type, compte_id=compte_id, association_id=association["association_id"], nom=association["nom"]
    )


@router.get(
    "/v1/annonces",
    summary="Chercher parmi les annonces publiées",
    response_model=views.PageAnnonces,
    responses=documented(422),
)
async def chercher(recherche: Annotated[Recherche, Query()], visiteur: Visiteur, deps: AvecDeps) -> Response:
    found = await deps.store.chercher(pipeline(recherche, deps.clock.now()))
    annonces = [views.annonce_publique(annonce_de(row), row.get("distance_m")) for row in found["page"]]
    page = views.PageAnnonces(
        annonces=annonces,
        total=found["total"][0]["n"] if found["total"] else 0,
        page=recherche.page,
        taille=recherche.taille,
        facettes=views.Facettes(**{nom: _compte(found[nom]) for nom in FACETTES}),
    )
    return respond(page)


def _compte(lignes: list[dict[str, Any]]) -> dict[str, int]:
    return {ligne["_id"]: ligne["n"] for ligne in lignes if ligne["_id"] is not None}


@router.get(
    "/v1/annonces/{annonce_id}",
    summary="Lire une annonce",
    response_model=views.VueAnnonceAuteur | views.VueAnnonce,
    responses=documented(404),
)
async def lire(annonce_id: str, visiteur: Visiteur, deps: AvecDeps) -> Response:
    document = await deps.store.annonce(annonce_id)
    if document is None:
        raise not_found(INTROUVABLE)
    annonce = annonce_de(document)
    gerable = bool(visiteur.sub) and visiteur.sub in await deps.store.gerants(annonce)
    if gerable or "moderateur" in visiteur.roles:
        return respond(views.annonce_auteur(annonce, document, gerable=gerable))
    if annonce.etat not in views.VISIBLES or annonce.publiee_at is None:
        raise not_found(INTROUVABLE)
    return respond(views.annonce_publique(annonce))


@router.put(
    "/v1/annonces/{annonce_id}",
    summary="Corriger une annonce\u00a0; un nouveau texte est relu, et ne remplace qu’ensuite celui qui est en ligne",
    response_model=views.VueAnnonceAuteur,
    responses=documented(401, 404, 409, 412, 422, 428),
)
async def corriger(
    annonce_id: str, saisie: AnnonceModifiee, compte: Compte, version: VersionRead, deps: AvecDeps
) -> Response:
    now = deps.clock.now()

    async def work(tx: Tx) -> Document:
        document = await mienne(deps, annonce_id, compte.sub, tx)
        lue = fiche(document)
        contenu = saisie.contenu(now, debut_connu=lue.annonce.date_debut)
        _verifier_sens(contenu.sens, lue.annonce.auteur.type)
        change = domain.corriger(lue, contenu, version_lue=version, now=now)
        stockee = await appliquer(tx, deps, noter_changement(deps, lue, change))
        await _noter_rendez_vous(saisie, stockee, compte.sub, tx, deps)
        return {**document, **champs(stockee)}

    return respond(_vue_auteur(await deps.outbox.run(work)))


@router.post(
    "/v1/annonces/{annonce_id}/places",
    summary="Changer le nombre de places d’une annonce en ligne",
    response_model=views.VueAnnonceAuteur,
    responses=documented(401, 404, 409, 422),
)
async def changer_places(annonce_id: str, saisie: PlacesSaisies, compte: Compte, deps: AvecDeps) -> Response:
    """Doing it twice is doing it once, and no other change is lost by it: no version is asked for."""

    async def work(tx: Tx) -> Document:
        document = await mienne(deps, annonce_id, compte.sub, tx)
        stockee = await appliquer(tx, deps, domain.changer_places(fiche(document), saisie.places))
        return {**document, **champs(stockee)}

    return respond(_vue_auteur(await deps.outbox.run(work)))


@router.post(
    "/v1/annonces/{annonce_id}/prolongation",
    summary="Prolonger une annonce sans date",
    response_model=views.VueAnnonceAuteur,
    responses=documented(401, 404, 409),
)
async def prolonger(annonce_id: str, compte: Compte, deps: AvecDeps) -> Response:
    async def work(tx: Tx) -> Document:
        document = await mienne(deps, annonce_id, compte.sub, tx)
        stockee = await appliquer(tx, deps, domain.prolonger(fiche(document), deps.clock.now()))
        return {**document, **champs(stockee)}

    return respond(_vue_auteur(await deps.outbox.run(work)))


@router.post(
    "/v1/annonces/{annonce_id}/retrait",
    summary="Retirer une annonce",
    response_model=views.VueAnnonceAuteur,
    responses=documented(401, 404, 409),
)
async def retirer(annonce_id: str, compte: Compte, deps: AvecDeps) -> Response:
    async def work(tx: Tx) -> Document:
        document = await mienne(deps, annonce_id, compte.sub, tx)
        lue = fiche(document)
        if lue.annonce.etat is EtatAnnonce.RETIREE:
            return document
        stockee = await appliquer(tx, deps, domain.retirer(lue))
        return {**document, **champs(stockee)}

    return respond(_vue_auteur(await deps.outbox.run(work)))


@router.get("/v1/mes/annonces", summary="Mes annonces", response_model=views.PageMesAnnonces, responses=documented(401))
async def miennes(compte: Compte, deps: AvecDeps, page: AvecPage) -> Response:
    documents, total = await deps.store.mes_annonces(compte.sub, page.page, page.taille)
    found = [_vue_auteur(document) for document in documents]
    return respond(views.PageMesAnnonces(annonces=found, total=total, page=page.page, taille=page.taille))


async def mienne(deps: Deps, annonce_id: str, compte_id: str, tx: Tx | None = None) -> Document:
    """An annonce for which this account answers. Raises a 404 problem for any other."""
    session = tx.session if tx else None
    document = await deps.store.annonce(annonce_id, session)
    if document is None or compte_id not in await deps.store.gerants(annonce_de(document), session):
        raise not_found(INTROUVABLE)
    return document


def _vue_auteur(document: Document) -> views.VueAnnonceAuteur:
    return views.annonce_auteur(annonce_de(document), document)
