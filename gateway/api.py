"""The gateway's own part of /v1: codes, sessions, the account, reference lists, the description of the whole API."""

import datetime as dt
import hashlib
from functools import cache
from typing import Annotated, get_args

import orjson
from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from contracts import references
from contracts.comptes import Consentement
from gateway.comptes import CODE_MINUTES, view
from gateway.deps import Deps, deps_of
from gateway.domain import CODE_LIFETIME_S
from gateway.door import session_of, who
from gateway.sessions import COOKIE, Opened
from gateway.upstream import Caller
from kit.http.tokens import Session

router = APIRouter(prefix="/v1")

DEMANDE = "__Host-demande"
"""The cookie of the browser that asked for a code."""

Ours = Annotated[Deps, Depends(deps_of)]


async def account(request: Request, _: Session) -> Caller:
    """FastAPI dependency: the account of a session. Raises a 401 problem, or 503 while nobody can know."""
    return session_of(request)


Account = Annotated[Caller, Depends(account)]


class DemandeCode(BaseModel):
    model_config = ConfigDict(extra="forbid")

    email: str = Field(max_length=320)


class CodeDemande(BaseModel):
    """`demande` is also a cookie; programs send it back with the code."""

    message: str
    demande: str


class OuvertureSession(BaseModel):
    """`demande` is what the request for the code answered: the code opens a session only with it. Without it, and
    without its cookie, the code must come from the network address that asked for it."""

    model_config = ConfigDict(extra="forbid")

    email: str = Field(max_length=320)
    code: str = Field(max_length=20)
    demande: str | None = Field(default=None, max_length=100)


class DemandeTelephone(BaseModel):
    model_config = ConfigDict(extra="forbid")

    numero: str = Field(max_length=40)


class ConfirmationTelephone(BaseModel):
    model_config = ConfigDict(extra="forbid")

    code: str = Field(max_length=20)


class SessionOuverte(BaseModel):
    """`jeton` is also the cookie; programs send it as `Authorization: Bearer`."""

    compte_id: str
    roles: list[str]
    jeton: str
    expire_at: dt.datetime


class Listes(BaseModel):
    """The values of each list, in the order in which they are shown."""

    domaines: list[references.Valeur]
    activites: list[references.Valeur]
    materiels: list[references.Materiel]
    publics: list[references.Valeur]
    creneaux: list[references.Valeur]
    certifications: list[references.Valeur]
    quartiers: list[references.Quartier]
    motifs: list[references.Motif]
    engagements: list[references.Engagement]
    engagement_version: str


class CodeEnvoye(BaseModel):
    message: str


class VueCompte(BaseModel):
    compte_id: str
    roles: list[str]
    consentements: list[Consentement]
    cree_at: dt.datetime


def give_cookie(response: Response, opened: Opened, now: dt.datetime) -> None:
    seconds = int((opened.expire_at - now).total_seconds())
    response.set_cookie(COOKIE, opened.token, max_age=seconds, path="/", secure=True, httponly=True, samesite="lax")


def give_demande(response: Response, demande: str) -> None:
    response.set_cookie(DEMANDE, demande, max_age=CODE_LIFETIME_S, path="/", secure=True, httponly=True, samesite="lax")


def take_cookie(response: Response) -> None:
    response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="lax")


def take_demande(response: Response) -> None:
    response.delete_cookie(DEMANDE, path="/", secure=True, httponly=True, samesite="lax")


async def end_present_session(request: Request, deps: Deps) -> None:
    """A login ends the session that was there before it."""
    seen = who(request)
    if seen.logged_in and seen.token is not None:
        await deps.sessions.close(seen.token)


@router.post(
    "/comptes/code", status_code=202, summary="Demander un code de connexion", responses={202: {"model": CodeDemande}}
)
async def demander_code(demande: DemandeCode, request: Request, deps: Ours) -> Response:
    """Un code part par e-mail. La réponse est la même, que l’adresse ait un compte ou non."""
    token = await deps.gestion.demander_code(demande.email, who(request).client)
    message = f"Un code vous a été envoyé ; le dernier reçu est le bon. Il est valable {CODE_MINUTES} minutes."
    response = _json({"message": message, "demande": token}, 202)
    give_demande(response, token)
    return response


@router.post("/sessions", status_code=201, summary="Se connecter", responses={201: {"model": SessionOuverte}})
async def ouvrir_session(demande: OuvertureSession, request: Request, deps: Ours) -> Response:
    token = demande.demande or request.cookies.get(DEMANDE, "")
    entered = await deps.gestion.ouvrir_session(demande.email, demande.code, token, who(request).client)
    await end_present_session(request, deps)
    opened = entered.session
    content = {
        "compte_id": entered.compte.compte_id,
        "roles": sorted(entered.compte.roles),
        "jeton": opened.token,
        "expire_at": opened.expire_at,
    }
    response = _json(content, 201)
    give_cookie(response, opened, deps.clock.now())
    take_demande(response)
    return response


@router.delete("/sessions/courante", status_code=204, summary="Se déconnecter")
async def fermer_session(request: Request, _: Account, deps: Ours) -> Response:
    await end_present_session(request, deps)
    response = Response(status_code=204)
    take_cookie(response)
    return response


@router.get("/compte", summary="Mon compte", responses={200: {"model": VueCompte}})
async def compte(caller: Account, deps: Ours) -> Response:
    return _json(view(await deps.gestion.lire(caller.compte_id)))


@router.delete("/compte", status_code=204, summary="Effacer mon compte")
async def effacer(caller: Account, deps: Ours) -> Response:
    """Efface l’adresse, les alertes et les messages ; retire les annonces d’un particulier. Sans retour."""
    await deps.gestion.effacer(caller.compte_id)
    response = Response(status_code=204)
    take_cookie(response)
    return response


@router.post(
    "/mes/telephone", status_code=202, summary="Recevoir un code par SMS", responses={202: {"model": CodeEnvoye}}
)
async def demander_telephone(demande: DemandeTelephone, request: Request, caller: Account, deps: Ours) -> Response:
    """Le code prouve que le numéro est à vous. Pas plus de quelques codes par heure."""
    await deps.telephones.demander(caller.compte_id, demande.numero, who(request).client)
    return _json({"message": "Un code vous a été envoyé par SMS."}, 202)


@router.post("/mes/telephone/confirmation", status_code=204, summary="Confirmer mon numéro de téléphone")
async def confirmer_telephone(confirmation: ConfirmationTelephone, caller: Account, deps: Ours) -> Response:
    """Le code reçu vaut accord pour recevoir vos alertes par SMS."""
    await deps.telephones.confirmer(caller.compte_id, confirmation.code)
    return Response(status_code=204)


@router.delete("/mes/telephone", status_code=204, summary="Retirer mon numéro de téléphone")
async def retirer_telephone(caller: Account, deps: Ours) -> Response:
    await deps.telephones.retirer(caller.compte_id)
    return Response(status_code=204)


@router.get(
    "/references",
    summary="Les listes de référence",
    responses={200: {"model": Listes}, 304: {"description": "La liste que vous avez est la bonne."}},
)
async def listes(request: Request) -> Response:
    body, etag = _references()
    headers = {"ETag": etag, "Cache-Control": "public, max-age=3600"}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


@router.get("/openapi.json", include_in_schema=False)
async def description(deps: Ours) -> Response:
    return Response(await deps.openapi.body(), media_type="application/json")


@cache
def _references() -> tuple[bytes, str]:
    lists = {
        name: [value.model_dump(mode="json") for value in references.valeurs(name).values()]
        for name in get_args(references.Liste)
    }
    body = orjson.dumps({**lists, "engagement_version": references.version_engagement()})
    return body, f'"{hashlib.sha256(body).hexdigest()[:16]}"'


def _json(content: object, status: int = 200) -> Response:
    body = orjson.dumps(content)
    return Response(body, status_code=status, media_type="application/json", headers={"Cache-Control": "no-store"})
