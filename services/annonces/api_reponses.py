"""Routes of reponses: "je peux aider", and what becomes of it."""

from collections.abc import Mapping
from types import MappingProxyType

from fastapi import APIRouter, Response

from contracts.annonces import EtatReponse, Reponse
from kit.database.mongo import DuplicateKeyError
from kit.http.problems import not_found
from kit.http.versions import respond
from kit.ids import new_id
from kit.messaging.outbox import Tx
from services.annonces import views
from services.annonces.actions import Deps, agir_sur_reponse, confirmer, repondre
from services.annonces.api_annonces import mienne
from services.annonces.reponses import ActionReponse, Demande
from services.annonces.requetes import MotSaisi, ReponseSaisie
from services.annonces.store import Document, annonce_de
from services.annonces.web import AvecDeps, AvecPage, Compte, deja_repondu, documented

router = APIRouter(tags=["reponses"])

_INTROUVABLE = "Cette réponse"


@router.post(
    "/v1/annonces/{annonce_id}/reponses",
    status_code=201,
    summary="Répondre à une annonce («\u00a0je peux aider\u00a0»)",
    response_model=views.VueReponse,
    responses=documented(401, 403, 404, 409, 422),
)
async def repondre_a(annonce_id: str, saisie: ReponseSaisie, compte: Compte, deps: AvecDeps) -> Response:
    """With `liste_attente`, 201 may also be an answer in the state `en_attente`, with its rank."""
    demande = Demande(
        new_id(), annonce_id, compte.sub, saisie.quantite, attendre=saisie.liste_attente, texte=saisie.message
    )

    async def work(tx: Tx) -> Reponse:
        reponse = await repondre(tx, deps, demande)
        if saisie.prenom is not None:
            await deps.conversations.donner_prenom(compte.sub, saisie.prenom, tx.session)
        return reponse

    try:
        async with deps.tours.de(annonce_id):
            reponse = await deps.outbox.run(work)
    except DuplicateKeyError as error:
        raise deja_repondu() from error
    return respond(views.reponse(reponse, saisie.message), 201, location=f"/v1/reponses/{reponse.reponse_id}")


@router.get(
    "/v1/annonces/{annonce_id}/reponses",
    summary="Les réponses à mon annonce",
    response_model=views.PageReponses,
    responses=documented(401, 404),
)
async def lister(annonce_id: str, compte: Compte, deps: AvecDeps, page: AvecPage) -> Response:
    await mienne(deps, annonce_id, compte.sub)
    documents, total = await deps.store.reponses_a(annonce_id, page.page, page.taille)
    prenoms = await deps.conversations.prenoms(document["compte_id"] for document in documents)
    return respond(_page(deps, documents, total, page.page, page.taille, prenoms))


@router.get("/v1/mes/reponses", summary="Mes réponses", response_model=views.PageReponses, responses=documented(401))
async def miennes(compte: Compte, deps: AvecDeps, page: AvecPage) -> Response:
    documents, total = await deps.store.mes_reponses(compte.sub, page.page, page.taille)
    return respond(_page(deps, documents, total, page.page, page.taille))


@router.post(
    "/v1/reponses/{reponse_id}/acceptation",
    summary="Accepter une réponse à mon annonce",
    response_model=views.VueReponse,
    responses=documented(401, 404, 409),
)
async def accepter(reponse_id: str, compte: Compte, deps: AvecDeps) -> Response:
    return await _agir(reponse_id, ActionReponse.ACCEPTER, compte.sub, deps)


@router.post(
    "/v1/reponses/{reponse_id}/refus",
    summary="Décliner une réponse à mon annonce, ou libérer une place que j’avais accordée",
    response_model=views.VueReponse,
    responses=documented(401, 404, 409, 422),
)
async def decliner(reponse_id: str, compte: Compte, deps: AvecDeps, saisie: MotSaisi | None = None) -> Response:
    return await _agir(reponse_id, ActionReponse.DECLINER, compte.sub, deps, saisie.mot if saisie else "")


@router.post(
    "/v1/reponses/{reponse_id}/annulation",
    summary="Annuler ma réponse",
    response_model=views.VueReponse,
    responses=documented(401, 404, 409),
)
async def annuler(reponse_id: str, compte: Compte, deps: AvecDeps) -> Response:
    return await _agir(reponse_id, ActionReponse.ANNULER, compte.sub, deps)


@router.post(
    "/v1/reponses/{reponse_id}/confirmation",
    summary="Confirmer ma réponse après un changement",
    response_model=views.VueReponse,
    responses=documented(401, 404, 409),
)
async def confirmer_la_mienne(reponse_id: str, compte: Compte, deps: AvecDeps) -> Response:
    async def work(tx: Tx) -> views.VueReponse:
        document = await deps.store.reponse(reponse_id, tx.session)
        if document is None or document["compte_id"] != compte.sub:
            raise not_found(_INTROUVABLE)
        await confirmer(tx, deps, document)
        if "a_confirmer" in document:
            document["a_confirmer"] = False
        return _vue(deps, document)

    return respond(await deps.outbox.run(work))


_DEJA_FAIT = {
    ActionReponse.ACCEPTER: EtatReponse.ACCEPTEE,
    ActionReponse.DECLINER: EtatReponse.DECLINEE,
    ActionReponse.ANNULER: EtatReponse.ANNULEE,
}


async def _agir(reponse_id: str, action: ActionReponse, compte_id: str, deps: Deps, mot: str = "") -> Response:
    """Doing it twice is doing it once: a second click answers like the first."""

    async def work(tx: Tx) -> views.VueReponse:
        document = await deps.store.reponse(reponse_id, tx.session)
        if document is None or not await _autorise(document, action, compte_id, deps, tx):
            raise not_found(_INTROUVABLE)
        if document["etat"] == _DEJA_FAIT[action].value:
            return _vue(deps, document)
        accordee = document["etat"] == EtatReponse.ACCEPTEE.value
        voulue = ActionReponse.LIBERER if accordee and action is ActionReponse.DECLINER else action
        change = await agir_sur_reponse(tx, deps, document, voulue, mot=mot)
        return views.reponse(change.reponse, deps.conversations.mots(document), mot=mot)

    return respond(await deps.outbox.run(work))


async def _autorise(document: Document, action: ActionReponse, compte_id: str, deps: Deps, tx: Tx) -> bool:
    """Who answered takes back; who posted the annonce accepts and declines."""
    if action is ActionReponse.ANNULER:
        return bool(document["compte_id"] == compte_id)
    annonce = await deps.store.annonce(document["annonce_id"], tx.session)
    return annonce is not None and compte_id in await deps.store.gerants(annonce_de(annonce), tx.session)


def _vue(deps: Deps, document: Document, prenom: str | None = None) -> views.VueReponse:
    mots, mot = deps.conversations.mots(document), deps.conversations.mot_de_l_auteur(document)
    autres = {"mot": mot, "prenom": prenom, "a_confirmer": document.get("a_confirmer")}
    return views.reponse(Reponse.model_validate(document), mots, **autres)


def _page(
    deps: Deps,
    documents: list[Document],
    total: int,
    page: int,
    taille: int,
    prenoms: Mapping[str, str] = MappingProxyType({}),
) -> views.PageReponses:
    found = [_vue(deps, document, prenoms.get(document["compte_id"])) for document in documents]
    return views.PageReponses(reponses=found, total=total, page=page, taille=taille)
