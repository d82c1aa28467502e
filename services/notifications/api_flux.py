"""What programs read again and again at an address that only its owner is told: the feed of each profil, and the
calendar of what somebody has promised."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Response

from kit.http.internal_calls import ServiceAway
from kit.http.problems import Problem, not_found
from kit.http.tokens import Identity, account, identity
from kit.ids import stable_id
from services.notifications import views
from services.notifications.deps import Deps, json
from services.notifications.messages import feed
from services.notifications.messages.calendar_file import flux
from services.notifications.messages.signed_links import Lien, Usage

public = APIRouter(prefix="/v1", tags=["messages"])

# An annonce has a row per channel and version: enough of them to fill a feed.
_LIGNES = feed.MONTREES * 6
_RELIRE_S = 900
_CALENDRIER = "calendrier"

Qui = Annotated[Identity, Depends(account)]


@public.get("/flux/{jeton}", dependencies=[Depends(identity)])
async def lire(
    jeton: str, deps: Deps, if_none_match: Annotated[str | None, Header(alias="If-None-Match")] = None
) -> Response:
    """RSS 2.0. One that was unsubscribed is empty and says so; a person who is erased leaves nothing in theirs."""
    atelier = deps.atelier
    lien = atelier.liens.lire(jeton, Usage.FLUX)
    if lien is None:
        raise not_found("Ce flux")
    arretee = bool(await atelier.registre.desabonnes([lien.profil_id]))
    compte_id = None if arretee else await atelier.contacts.dont_le_flux(lien.profil_id)
    lignes = await atelier.consultation.du_profil(compte_id, lien.profil_id, _LIGNES) if compte_id else []
    contenus = await atelier.consultation.contenus(ligne["contenu_id"] for ligne in lignes)
    clotures = await atelier.registre.clotures(ligne["annonce_id"] for ligne in lignes)
    adresse = feed.lien_flux(deps.runtime.settings.public_url, atelier.liens, lien.profil_id)
    corps = feed.rediger(
        feed.entrees(lignes, contenus, clotures),
        deps.runtime.settings.public_url,
        adresse,
        arretee=arretee,
        now=deps.runtime.clock.now(),
    )
    marque = feed.etag(corps)
    entetes = {"ETag": marque, "Cache-Control": f"private, max-age={_RELIRE_S}"}
    if feed.inchange(if_none_match, marque):
        return Response(status_code=304, headers=entetes)
    return Response(corps, headers=entetes, media_type=feed.MEDIA_TYPE)


@public.get("/mes/flux", response_model=views.VueFlux)
async def mes_flux(qui: Qui, deps: Deps) -> Response:
    """{"flux": {profil_id: address}, "calendrier": address}: `flux` for the profils of the caller that were alerted and
    not unsubscribed. An address opens once it was told."""
    atelier = deps.atelier
    profils = await atelier.consultation.profils(qui.sub)
    arretes = await atelier.registre.desabonnes(profils)
    suivis = [profil_id for profil_id in profils if profil_id not in arretes]
    calendrier = _calendrier(qui.sub)
    await atelier.contacts.ouvrir_flux(qui.sub, [*suivis, calendrier])
    public_url = deps.runtime.settings.public_url
    adresses = {profil_id: feed.lien_flux(public_url, atelier.liens, profil_id) for profil_id in suivis}
    jeton = atelier.liens.signer(Lien(_CALENDRIER, calendrier), Usage.CALENDRIER)
    return json(
        {"flux": adresses, "calendrier": f"{public_url.rstrip('/')}/calendrier/{jeton}.ics"},
        entetes={"Cache-Control": "private, no-store"},
    )


@public.get("/calendrier/{jeton}", dependencies=[Depends(identity)])
async def lire_calendrier(jeton: str, deps: Deps) -> Response:
    """The engagements of one person (RFC 5545), meeting points included, asked of annonces now: none is stored here.

    404 for an address that we did not give, or whose person is erased; 503 while annonces is away, so that no program
    takes an empty calendar for the truth.
    """
    atelier = deps.atelier
    lien = atelier.liens.lire(jeton, Usage.CALENDRIER)
    compte_id = await atelier.contacts.dont_le_flux(lien.profil_id) if lien else None
    if compte_id is None:
        raise not_found("Ce calendrier")
    try:
        sujets = await atelier.complements.sujets(compte_id, deps.runtime.settings.public_url)
    except ServiceAway as error:
        raise Problem(
            503, "annonces-indisponibles", "Calendrier indisponible", "Réessayez dans quelques minutes."
        ) from error
    corps = flux(sujets, atelier.compositeur.organisateur, "Mes engagements", deps.runtime.clock.now())
    entetes = {"Cache-Control": f"private, max-age={_RELIRE_S}"}
    return Response(corps, headers=entetes, media_type="text/calendar; charset=utf-8")


def _calendrier(compte_id: str) -> str:
    """By what the calendar of an account is named in its address, which does not name the account."""
    return stable_id(_CALENDRIER, compte_id)
