"""Pages of the moderators below /moderation/: rendered on the server, forms that answer 303, no JavaScript needed."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import FormData

from contracts import references
from contracts.moderation import Issue, Motif, TypeCible
from kit.http.problems import Problem
from kit.http.tokens import Identity, requires
from services.moderation import presentation, queries
from services.moderation.api import Agir, NumeroDePage
from services.moderation.domain import ISSUES, Dossier, Etat
from services.moderation.hints import indices
from services.moderation.motifs import proposables
from services.moderation.rendering import page

router = APIRouter(prefix="/moderation", include_in_schema=False)

Moderateur = Annotated[Identity, Depends(requires("moderateur"))]

_TAILLE = 20


def _vers(chemin: str) -> Response:
    # A path without host, because the public host name is that of the gateway.
    return RedirectResponse(f"/moderation/{chemin}", status_code=303)


@router.get("")
async def sans_barre() -> Response:
    return _vers("")


@router.get("/")
async def accueil(
    qui: Moderateur,
    agir: Agir,
    etat: Etat | None = None,
    type: TypeCible | None = None,
    numero: Annotated[NumeroDePage, Query(alias="page")] = 1,
    fait: Issue | None = None,
    vide: bool = False,
) -> Response:
    """The queue. `fait` and `vide` show the result of the last form."""
    now = agir.clock.now()
    file = await agir.store.file(now, etat=etat, cible=type, cible_id=None, page=numero, taille=_TAILLE)
    return page(
        "file.html",
        menu="file",
        vous=qui.sub,
        now=now,
        dossiers=[(dossier, indices(dossier.titre, dossier.description)) for dossier in file.rows],
        comptes=await agir.store.compter(now),
        etat=etat,
        type=type,
        fait=fait,
        vide=vide,
        **_pagination(file.total, numero),
    )


@router.post("/suivant")
async def suivant(qui: Moderateur, agir: Agir) -> Response:
    dossier = await agir.suivant(qui.sub)
    return _vers(f"dossiers/{dossier.dossier_id}" if dossier else "?vide=true")


@router.get("/dossiers/{dossier_id}")
async def lire(dossier_id: str, qui: Moderateur, agir: Agir) -> Response:
    return await _page_dossier(dossier_id, qui, agir)


@router.post("/dossiers/{dossier_id}/prise")
async def prendre(dossier_id: str, qui: Moderateur, agir: Agir) -> Response:
    await agir.prendre(dossier_id, qui.sub)
    return _vers(f"dossiers/{dossier_id}")


@router.post("/dossiers/{dossier_id}/liberation")
async def liberer(dossier_id: str, qui: Moderateur, agir: Agir) -> Response:
    await agir.liberer(dossier_id, qui.sub)
    return _vers("")


@router.post("/dossiers/{dossier_id}/reouverture")
async def rouvrir(dossier_id: str, _: Moderateur, agir: Agir) -> Response:
    await agir.rouvrir(dossier_id)
    return _vers(f"dossiers/{dossier_id}")


@router.post("/dossiers/{dossier_id}/decision")
async def decider(dossier_id: str, request: Request, qui: Moderateur, agir: Agir) -> Response:
    """On errors, shows the form again with the input and what is wrong."""
    form = await request.form()
    saisie = _saisie(form)
    try:
        if saisie["issue"] not in list(Issue):
            erreur = {"champ": "issue", "message": "Choisissez une décision."}
            raise Problem(422, "donnees-invalides", "Données invalides", erreur["message"], errors=[erreur])
        dossier = await agir.decider(dossier_id, qui.sub, saisie["jeton_bail"], Issue(saisie["issue"]), _motifs(saisie))
    except Problem as problem:
        if problem.status != 422:
            raise
        return await _page_dossier(dossier_id, qui, agir, saisie=saisie, erreurs=_ancres(problem, saisie), status=422)
    if form.get("apres") == "suivant":
        return await suivant(qui, agir)
    return _vers(f"?fait={dossier.issue}")


@router.get("/journal")
async def journal(
    qui: Moderateur,
    agir: Agir,
    issue: Issue | None = None,
    numero: Annotated[NumeroDePage, Query(alias="page")] = 1,
) -> Response:
    found = await agir.store.journal(issue=issue, page=numero, taille=_TAILLE)
    return page(
        "journal.html",
        menu="journal",
        vous=qui.sub,
        entrees=found.rows,
        issue=issue,
        issues=list(Issue),
        **_pagination(found.total, numero),
    )


@router.get("/associations")
async def associations(
    request: Request,
    qui: Moderateur,
    agir: Agir,
    numero: Annotated[NumeroDePage, Query(alias="page")] = 1,
) -> Response:
    found, historiques = await queries.associations(agir.store, numero, _TAILLE)
    return page(
        "associations.html",
        menu="associations",
        vous=qui.sub,
        rows=[(row, historiques.get(row["_id"], {})) for row in found.rows],
        politique=request.app.state.politique,
        **_pagination(found.total, numero),
    )


@router.post("/associations/{association_id}/confiance")
async def confiance(association_id: str, accordee: Annotated[bool, Form()], qui: Moderateur, agir: Agir) -> Response:
    await agir.accorder_confiance(association_id, accordee, qui.sub)
    return _vers("associations")


async def _page_dossier(
    dossier_id: str,
    qui: Identity,
    agir: Agir,
    *,
    saisie: dict[str, Any] | None = None,
    erreurs: list[dict[str, str]] | None = None,
    status: int = 200,
) -> Response:
    ouvert = await queries.ouvrir(agir.store, dossier_id)
    dossier, now = ouvert.dossier, agir.clock.now()
    return page(
        "dossier.html",
        status=status,
        menu="file",
        vous=qui.sub,
        now=now,
        ouvert=ouvert,
        dossier=dossier,
        revisable=await agir.store.en_ligne(dossier) and dossier.cible_type is TypeCible.ANNONCE,
        a_vous=dossier.tenu_par(qui.sub, now),
        choix=_choix(dossier),
        motifs=proposables(dossier.cible_type, revue=dossier.revue),
        engagements=list(references.engagements().values()),
        saisie=saisie or {"issue": "", "motifs": [], "explications": {}, "engagement": "", "passage": ""},
        erreurs=erreurs or [],
    )


def _choix(dossier: Dossier) -> list[tuple[str, str, str]]:
    """(issue, label, consequence) for each possible decision."""
    if dossier.revue:
        textes = presentation.CHOIX_REVUE
    elif dossier.cible_type is TypeCible.ASSOCIATION:
        textes = presentation.CHOIX_ASSOCIATION
    elif dossier.approuvee is not None:
        textes = presentation.CHOIX_CORRECTION
    else:
        textes = presentation.CHOIX
    return [(issue.value, *textes[issue.value]) for issue in ISSUES[dossier.revue]]


def _saisie(form: FormData) -> dict[str, Any]:
    """The input of the form, shown again on errors."""
    texte = {nom: valeur for nom, valeur in form.items() if isinstance(valeur, str)}
    jeton = texte.get("jeton_bail", "")
    return {
        "issue": texte.get("issue", ""),
        "motifs": [valeur for valeur in form.getlist("motifs") if isinstance(valeur, str)],
        "explications": {
            nom.removeprefix("explication-"): v for nom, v in texte.items() if nom.startswith("explication-")
        },
        "engagement": texte.get("engagement", ""),
        "passage": texte.get("passage", ""),
        # No claim has token 0, so the answer is that the dossier is not held by the caller.
        "jeton_bail": int(jeton) if jeton.isdecimal() and len(jeton) < 10 else 0,
    }


def _motifs(saisie: dict[str, Any]) -> list[Motif]:
    connus = references.motifs()
    found = []
    for code in saisie["motifs"]:
        cite = code in connus and connus[code].engagement_requis
        numero = saisie["engagement"] if cite else ""
        found.append(
            Motif(
                code=code,
                explication=saisie["explications"].get(code, ""),
                engagement=int(numero) if numero in {str(n) for n in range(1, 8)} else None,
                passage=(saisie["passage"] or None) if cite else None,
            )
        )
    return found


def _ancres(problem: Problem, saisie: dict[str, Any]) -> list[dict[str, str]]:
    """The errors, each with the id of its form field."""
    found = []
    for erreur in problem.errors:
        parts = erreur["champ"].split(".")
        ancre = parts[0]
        if len(parts) == 3:
            code = saisie["motifs"][int(parts[1])]
            ancre = {"code": f"motif-{code}", "explication": f"explication-{code}"}.get(parts[2], parts[2])
        found.append({"ancre": ancre, "message": erreur["message"]})
    return found


def _pagination(total: int, numero: int) -> dict[str, Any]:
    return {"total": total, "page": numero, "pages": max(1, -(-total // _TAILLE))}
