"""Posting an ad, and correcting it."""

from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.door import session_of
from gateway.pages import forms
from gateway.pages.calls import ask, form, refused, segment, try_ask
from gateway.pages.forms import Saisie
from gateway.pages.rendering import render
from gateway.upstream import Caller
from kit.http.problems import Problem, not_found
from kit.ids import new_id

_CHAMPS = (
    "auteur",
    "auteur_nom",
    "auteur_siren",
    "sens",
    "nature",
    "titre",
    "description",
    "domaines",
    "categories",
    "publics",
    "cession",
    "date_debut",
    "date_fin",
    "creneaux",
    "quartier",
    "certifications",
    "places",
    *forms.PRIVES,
)


async def _associations(request: Request, caller: Caller) -> list[Any]:
    """The associations in whose name somebody may post: validated ones first said so by the service."""
    found = (await ask(request, "annonces", "GET", "/v1/mes/associations", caller)).json()
    listed = found.get("associations", [])
    return listed if isinstance(listed, list) else []


def _page(request: Request, saisie: Saisie, problem: Problem | None = None, **context: Any) -> Response:
    shown = refused(problem, _CHAMPS) if problem else None
    if shown and "categories" in shown.erreurs and not saisie.tous("categories"):
        # The service speaks of elements of a list; people see boxes.
        shown = replace(shown, erreurs={**shown.erreurs, "categories": "Cochez au moins une case."})
    return render(
        request,
        "depot.html",
        status=shown.status if shown else 200,
        saisie=saisie,
        erreurs=shown.erreurs if shown else {},
        generales=shown.generales if shown else [],
        **context,
    )


async def nouvelle(request: Request) -> Response:
    caller = session_of(request)
    associations = await _associations(request, caller)
    if modele := request.query_params.get("modele"):
        return _page(request, await _refaite(request, caller, modele), associations=associations, annonce=None)
    first = next((a["association_id"] for a in associations if a["etat"] == "validee"), None)
    values = {"sens": ["besoin" if first else "offre"], "places": ["1"], "cle": [new_id()]}
    values["auteur"] = [f"association:{first}" if first else "particulier"]
    chosen = request.query_params.get("sens")
    if chosen in ("besoin", "offre"):
        values["sens"] = [chosen]
    return _page(request, Saisie(values), associations=associations, annonce=None)


async def _refaite(request: Request, caller: Caller, annonce_id: str) -> Saisie:
    """What an earlier ad of theirs says, to be posted again."""
    path = f"/v1/annonces/{segment(annonce_id)}"
    found = (await ask(request, "annonces", "GET", path, caller)).json()
    if not found.get("gerable"):
        raise not_found("Cette annonce")
    rendez_vous = (await ask(request, "annonces", "GET", f"{path}/rendez-vous", caller)).json()
    return forms.annonce_refaite(found, rendez_vous, new_id())


async def deposer(request: Request) -> Response:
    caller = session_of(request)
    saisie = await form(request)
    body = {**forms.annonce(saisie), "auteur": forms.auteur(saisie)}
    # The key comes with the form: sending it twice makes one ad.
    key = saisie.un("cle") or new_id()
    answer = await try_ask(request, "annonces", "POST", "/v1/annonces", caller, body, idempotency_key=key)
    if isinstance(answer, Problem):
        return _page(request, saisie, answer, associations=await _associations(request, caller), annonce=None)
    return RedirectResponse("/mon-compte?message=annonce-deposee#mes-annonces", status_code=303)


async def _mine(request: Request, caller: Caller) -> tuple[str, dict[str, Any]]:
    path = f"/v1/annonces/{segment(request.path_params['annonce_id'])}"
    found = (await ask(request, "annonces", "GET", path, caller)).json()
    if not found.get("gerable"):
        raise not_found("Cette annonce")
    return path, found


async def modifier(request: Request) -> Response:
    caller = session_of(request)
    path, found = await _mine(request, caller)
    rendez_vous = (await ask(request, "annonces", "GET", f"{path}/rendez-vous", caller)).json()
    # A text that was proposed is what its author goes on with.
    proposition = found.get("proposition") or {}
    saisie = forms.annonce_saisie({**found, **proposition}, rendez_vous)
    return _page(request, saisie, annonce=found, associations=[])


async def enregistrer(request: Request) -> Response:
    caller = session_of(request)
    path, found = await _mine(request, caller)
    saisie = await form(request)
    # The version that the form was made from: an edit made meanwhile is not overwritten.
    version = saisie.un("version", str(found["version"]))
    answer = await try_ask(
        request, "annonces", "PUT", path, caller, forms.annonce(saisie), if_match=f'"{forms.page_number(version)}"'
    )
    if isinstance(answer, Problem):
        return _page(request, saisie, answer, annonce=found, associations=[])
    return RedirectResponse("/mon-compte?message=annonce-modifiee#mes-annonces", status_code=303)


PAGES = (
    ("/annonces/nouvelle", ("GET",), nouvelle),
    ("/annonces/nouvelle", ("POST",), deposer),
    ("/annonces/{annonce_id:str}/modifier", ("GET",), modifier),
    ("/annonces/{annonce_id:str}/modifier", ("POST",), enregistrer),
)
