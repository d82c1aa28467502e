"""The staff's page of the ledger, and the same figures as JSON."""

import asyncio
import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import FileResponse, HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from contracts.commun import PARIS
from contracts.envois import MOTIFS, Etat
from contracts.notifications import Canal
from kit.http.problems import Problem
from kit.http.tokens import requires
from services.notifications import views
from services.notifications.deps import Acces, Deps, json
from services.notifications.registre.rows import Ligne
from services.notifications.staff import figures, filters
from services.notifications.staff.figures import AlertesSemblables, Chiffres, Depense, chiffrer
from services.notifications.staff.filters import Erreur, Filtres, FiltresInvalides, lire_filtres

CHEMIN = "/v1/notifications/registre"
CSP = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

_PAGES = Path(__file__).with_name("staff") / "pages"
_ENTETES = {"Content-Security-Policy": CSP, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_VIDE = dict.fromkeys(("du", "au", "annonce", "canal", "etat", "motif"), "")
_TAILLE = 50
_BASCULES = 50

_env = Environment(
    loader=FileSystemLoader(_PAGES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_env.filters.update(figures.FILTRES_JINJA)

routeur = APIRouter(prefix="/v1/notifications", tags=["registre"], dependencies=[Depends(requires("moderateur"))])


async def _plafond(request: Request) -> int:
    plafond: int = request.app.state.plafond_sms
    return plafond


Plafond = Annotated[int, Depends(_plafond)]


@dataclass(frozen=True)
class Vue:
    """What both answers show. `total`: rows of the table, on all its pages."""

    filtres: Filtres
    chiffres: Chiffres
    depense: Depense
    bascules: list[Ligne]
    lignes: list[Ligne]
    total: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // _TAILLE))


@routeur.get("/registre", include_in_schema=False)
async def page(request: Request, deps: Deps, plafond: Plafond) -> Response:
    """Without any error the figures; else the form again, with what was asked and what is wrong."""
    params = dict(request.query_params)
    try:
        filtres = lire_filtres(params, _aujourd_hui(deps))
    except FiltresInvalides as error:
        return rendre(None, params, error.erreurs, status=422)
    return rendre(await _regarder(filtres, deps, plafond), filtres.params())


@routeur.get("/registre.json", response_model=views.VueRegistre)
async def donnees(request: Request, deps: Deps, plafond: Plafond) -> Response:
    """What became of the alerts of a period (`du`, `au`: days in Paris, both included), perhaps of one `annonce`; a
    page of them, narrowed by `canal`, `etat`, `motif`; what SMS cost; how providers were weighted."""
    try:
        filtres = lire_filtres(dict(request.query_params), _aujourd_hui(deps))
    except FiltresInvalides as error:
        erreurs = [{"champ": erreur.champ, "message": erreur.message} for erreur in error.erreurs]
        raise Problem(422, "donnees-invalides", "Données invalides", str(error), errors=erreurs) from error
    return json(en_json(await _regarder(filtres, deps, plafond)), entetes={"Cache-Control": "no-store"})


@routeur.get("/static/registre.css", include_in_schema=False)
async def style() -> Response:
    return FileResponse(_PAGES / "static" / "registre.css", media_type="text/css", headers={"Cache-Control": "private"})


def _aujourd_hui(deps: Acces) -> dt.date:
    return deps.runtime.clock.now().astimezone(PARIS).date()


async def _regarder(filtres: Filtres, deps: Acces, plafond: int) -> Vue:
    lectures = deps.atelier.consultation
    anciennes = await lectures.anciennes(filtres.annonce) if filtres.annonce else ()
    groupes, lignes, (parties, centimes), bascules = await asyncio.gather(
        lectures.repartition(filtres.perimetre(anciennes)),
        lectures.lignes(filtres.detail(anciennes), filtres.page, _TAILLE),
        lectures.depense(filtres.mois),
        lectures.bascules(filtres.debut, filtres.fin, _BASCULES),
    )
    lus = [AlertesSemblables.lire(groupe) for groupe in groupes]
    return Vue(
        filtres=filtres,
        chiffres=chiffrer(lus),
        depense=Depense(filtres.mois, parties, centimes, plafond),
        bascules=bascules,
        lignes=lignes,
        total=sum(groupe.nombre for groupe in lus if groupe.dans(filtres)),
    )


def rendre(
    vue: Vue | None, saisie: Mapping[str, str], erreurs: list[Erreur] | None = None, status: int = 200
) -> HTMLResponse:
    """The page. `saisie`: what the form holds, by the names of its fields."""
    html = _env.get_template("registre.html").render(
        chemin=CHEMIN,
        vue=vue,
        saisie={**_VIDE, **saisie},
        jours=filters.JOURS_PAR_DEFAUT,
        fautes={erreur.champ: erreur.message for erreur in erreurs or []},
        canaux=list(Canal),
        etats=list(Etat),
        motifs=MOTIFS,
        sans_motif=filters.SANS_MOTIF,
        bascules_max=_BASCULES,
    )
    return HTMLResponse(html, status_code=status, headers=_ENTETES)


def en_json(vue: Vue) -> dict[str, Any]:
    """The same figures under the names of the ledger."""
    chiffres = vue.chiffres
    return {
        "filtres": vue.filtres.params(page=vue.filtres.page),
        "total": chiffres.total,
        "en_route": chiffres.en_route,
        "programmees": chiffres.programmees,
        "par_etat": [{"etat": etat, "motif": motif, "nombre": n} for etat, motif, n in chiffres.par_etat],
        "par_canal": [{"canal": canal, "nombre": n} for canal, n in chiffres.par_canal],
        "par_fournisseur": [
            {"fournisseur": nom, "nombre": n, "parties": parties} for nom, n, parties in chiffres.par_fournisseur
        ],
        "sms": asdict(vue.depense),
        "bascules": vue.bascules,
        "envois": [
            {"envoi_id": ligne["_id"], **{k: v for k, v in ligne.items() if k != "_id"}} for ligne in vue.lignes
        ],
        "total_envois": vue.total,
        "page": vue.filtres.page,
        "pages": vue.pages,
    }
