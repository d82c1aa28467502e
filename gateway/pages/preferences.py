"""My preferences: by which way, how often, when; and a pause."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from contracts.notifications import Canal
from gateway.deps import deps_of
from gateway.door import session_of
from gateway.pages import preferences_form
from gateway.pages.calls import ask, form, refused, sections, try_ask
from gateway.pages.forms import Saisie
from gateway.pages.rendering import instant, render
from gateway.preferences import canaux, suivre
from gateway.upstream import Caller
from kit.http.problems import Problem

_PATH = "/v1/mes/preferences"
_CHAMPS = ("canaux", "cadences", "budget_semaine", "pause_jusqua", "heures", "heures_debut", "heures_fin", "numero")
_CONFLIT = (
    "Vos préférences ont changé entre-temps, par exemple par un SMS. "
    "Voici ce qui est enregistré maintenant\u00a0: refaites vos changements s’il le faut."
)


@dataclass(frozen=True)
class _Lues:
    """What the page is made of; `profils` is None while matching is away: the rest can be changed all the same.

    `flux`: profil id → the address of its feed; `calendrier`: the address of theirs, None while it is not known.
    """

    preferences: dict[str, Any]
    profils: list[Any] | None
    actifs: frozenset[str]
    flux: dict[str, str]
    calendrier: str | None

    @property
    def ids(self) -> list[str]:
        return [str(p["profil_id"]) for p in self.profils or []]

    @property
    def en_pause(self) -> bool:
        until = self.preferences.get("pause_jusqua")
        return isinstance(until, str) and instant(until) > dt.datetime.now(dt.UTC)


async def _read(request: Request, caller: Caller) -> _Lues:
    preferences = (await ask(request, "notifications", "GET", _PATH, caller)).json()
    wanted = {"profils": ("matching", "/v1/profils"), "flux": ("notifications", "/v1/mes/flux")}
    parts = await sections(request, caller, wanted)
    found, addresses = parts["profils"], parts["flux"] or {}
    agreed = await deps_of(request).consentements.accordes(caller.compte_id)
    chosen = canaux(preferences)
    # A box is ticked by the person alone: without a consent it is empty, whatever the default of the service.
    active = frozenset(canal.value for canal in Canal if canal in agreed and chosen.get(canal.value))
    profils = None if found is None else [p for p in found.get("profils", []) if p.get("actif")]
    return _Lues(preferences, profils, active, addresses.get("flux", {}), addresses.get("calendrier"))


def _page(request: Request, lues: _Lues, saisie: Saisie, problem: Problem | None = None) -> Response:
    shown = refused(problem, _CHAMPS) if problem else None
    return render(
        request,
        "preferences.html",
        status=shown.status if shown else 200,
        preferences=lues.preferences,
        profils=lues.profils,
        actifs=lues.actifs,
        flux=lues.flux,
        calendrier=lues.calendrier,
        sans_limite=lues.preferences.get("budget_semaine") is None,
        en_pause=lues.en_pause,
        demain=(dt.datetime.now(dt.UTC) + dt.timedelta(days=1)).date().isoformat(),
        saisie=saisie,
        erreurs=shown.erreurs if shown else {},
        generales=shown.generales if shown else [],
    )


def _stored(lues: _Lues, numero: str = "") -> Saisie:
    return preferences_form.saisie_de(lues.preferences, lues.actifs, en_pause=lues.en_pause, numero=numero)


async def montrer(request: Request) -> Response:
    lues = await _read(request, session_of(request))
    return _page(request, lues, _stored(lues))


async def refuser(request: Request, caller: Caller, problem: Problem, *, numero: str) -> Response:
    """The page again after a number that was refused."""
    lues = await _read(request, caller)
    return _page(request, lues, _stored(lues, numero), problem)


async def enregistrer(request: Request) -> Response:
    caller = session_of(request)
    saisie = await form(request)
    lues = await _read(request, caller)
    body = preferences_form.preferences(saisie, lues.preferences, lues.ids)
    # The version that the form was made from: a STOP by SMS that came meanwhile is not undone.
    version = preferences_form.version(saisie)
    answer = await try_ask(request, "notifications", "PUT", _PATH, caller, body, if_match=version)
    if isinstance(answer, Problem):
        if answer.status == 412:
            fresh = await _read(request, caller)
            conflict = Problem(409, answer.slug, answer.title, _CONFLIT)
            return _page(request, fresh, _stored(fresh), conflict)
        return _page(request, lues, saisie, answer)
    ticked = {"canaux": preferences_form.canaux(saisie)}
    await suivre(deps_of(request).consentements, caller.compte_id, lues.preferences, ticked)
    return RedirectResponse("/mon-compte/preferences?message=preferences-enregistrees", status_code=303)


async def reprendre(request: Request) -> Response:
    """Ends the pause and leaves the rest as it is."""
    caller = session_of(request)
    stored = (await ask(request, "notifications", "GET", _PATH, caller)).json()
    await ask(request, "notifications", "PUT", _PATH, caller, {"pause_jusqua": None}, if_match=f'"{stored["version"]}"')
    return RedirectResponse("/mon-compte/preferences?message=pause-finie", status_code=303)


PAGES = (
    ("/mon-compte/preferences", ("GET",), montrer),
    ("/mon-compte/preferences", ("POST",), enregistrer),
    ("/mon-compte/preferences/reprise", ("POST",), reprendre),
)
