"""Which annonces are online for an alert already: those of the public list that concern it, as matching says."""

from typing import Any

from starlette.requests import Request

from gateway.deps import deps_of
from gateway.pages import forms
from gateway.pages.calls import try_ask
from gateway.upstream import Caller
from kit.http.problems import Problem

_TAILLE = 100
_PAGES = 5
"""Of the newest: a page that shows ten of them need not look at all that a city has."""
_MONTREES = 10

# What the rule of concern reads; the texts would make the question too long.
_LUS = (
    "annonce_id", "sens", "nature", "domaines", "categories", "date_debut", "date_fin", "creneaux", "lieu",
    "a_distance", "certifications", "accessible_pmr", "ouvert_aux_mineurs", "urgent",
)  # fmt: skip


async def trouver(request: Request, caller: Caller, path: str, profil: dict[str, Any]) -> list[Any] | None:
    """At most ten of the public list, best first; None while a service is away. `path`: of the alert in matching."""
    chosen = {"sens": str(profil["sens"])}
    if len(profil["natures"]) == 1:
        chosen["nature"] = profil["natures"][0]
    trouvees: list[Any] = []
    for numero in range(1, _PAGES + 1):
        try:
            page = await deps_of(request).reader.get(
                "annonces", "/v1/annonces", forms.recherche(chosen, numero, _TAILLE)
            )
            if page.answer.status >= 400:
                return None
            annonces: Any = page.answer.json().get("annonces", [])
            lues = [{name: annonce[name] for name in _LUS} for annonce in annonces]
            answer = await try_ask(request, "matching", "POST", f"{path}/annonces", caller, {"annonces": lues})
        except Problem as problem:
            if problem.status != 503:
                raise
            return None
        if isinstance(answer, Problem):
            return None
        ids: Any = answer.json()["annonces"]
        par_id = {annonce["annonce_id"]: annonce for annonce in annonces}
        trouvees += [par_id[annonce_id] for annonce_id in ids if annonce_id in par_id]
        if len(annonces) < _TAILLE or len(trouvees) >= _MONTREES:
            break
    return trouvees[:_MONTREES]
