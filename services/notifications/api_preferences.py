"""What a person chooses about their messages, and the number that is theirs."""

import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field, StrictBool, StrictInt, model_validator

from contracts.commun import Identifiant
from contracts.notifications import Canal
from kit.http.problems import FieldProblem, Problem, not_found
from kit.http.tokens import Identity, account, requires
from kit.http.versions import VersionRead, etag, stale
from services.notifications import views
from services.notifications.canaux.push.canal import hote_admis
from services.notifications.canaux.sms import numeros
from services.notifications.contacts.store import Contact
from services.notifications.deps import Deps, json
from services.notifications.planning.calendar import Cadence, Heures, HeuresImpossibles
from services.notifications.requetes import Corps
from services.notifications.telephones import CodeRefuse, PaysNonDesservi, TropDeCodes

public = APIRouter(prefix="/v1", tags=["messages"])
interne = APIRouter(
    prefix="/v1/interne/telephones", dependencies=[Depends(requires("systeme"))], include_in_schema=False
)

_PAUSE_MAX = dt.timedelta(days=366)
_ABONNEMENT_MAX = 4096
_SUSPENDUS = "Nous n’envoyons plus de SMS ce mois-ci. Réessayez le mois prochain\u00a0; vos e-mails continuent."
_NON_DESSERVI = "Nous n’envoyons pas de SMS vers ce pays\u00a0: indiquez un numéro de mobile français."
_TROP = "Ce numéro a déjà reçu plusieurs codes. Servez-vous du dernier, ou réessayez plus tard."

Qui = Annotated[Identity, Depends(account)]


class HeuresSaisies(Corps):
    debut: StrictInt = Field(ge=0, le=23)
    fin: StrictInt = Field(ge=1, le=23)


class PreferencesSaisies(Corps):
    """What is missing stays as it is; `pause_jusqua` and `heures` null: none of one's own.

    `canaux`: the gateway gives or takes back the consents that they mean; nothing is kept of them here.
    """

    pause_jusqua: dt.datetime | None = None
    budget_semaine: Annotated[StrictInt, Field(ge=0, le=50)] | None = None
    canaux: dict[Canal, StrictBool] = {}
    heures: HeuresSaisies | None = None
    cadences: dict[Identifiant, Cadence] = Field(default={}, max_length=100)

    @model_validator(mode="after")
    def _aware(self) -> "PreferencesSaisies":
        if self.pause_jusqua is not None and self.pause_jusqua.tzinfo is None:
            self.pause_jusqua = self.pause_jusqua.replace(tzinfo=dt.UTC)
        return self


@public.get("/mes/preferences", response_model=views.VuePreferences)
async def lire(qui: Qui, deps: Deps) -> Response:
    contact = await _contact(qui, deps)
    return _vue(contact, deps)


@public.put("/mes/preferences", response_model=views.VuePreferences)
async def choisir(saisie: PreferencesSaisies, qui: Qui, version: VersionRead, deps: Deps) -> Response:
    contact = await _contact(qui, deps)
    if contact.choix.version != version:
        raise stale(contact.choix.version)
    valeurs = _valeurs(saisie, deps)
    if not await deps.atelier.contacts.choisir(qui.sub, version, valeurs):
        raise stale()
    return _vue(await _contact(qui, deps), deps)


async def _contact(qui: Identity, deps: Deps) -> Contact:
    """Raises a 404 problem for an account that is erased, or that nobody has told us of."""
    contact = (await deps.atelier.contacts.trouver([qui.sub])).get(qui.sub)
    if contact is None:
        raise not_found("Ce compte")
    return contact


def _valeurs(saisie: PreferencesSaisies, deps: Deps) -> dict[str, Any]:
    valeurs: dict[str, Any] = {}
    donnes, now = saisie.model_fields_set, deps.runtime.clock.now()
    if "pause_jusqua" in donnes:
        jusqua = saisie.pause_jusqua
        if jusqua is not None and not now < jusqua <= now + _PAUSE_MAX:
            raise FieldProblem("pause_jusqua", "La pause finit à une date à venir, dans un an au plus.")
        valeurs["pause_jusqua"] = jusqua
    if "budget_semaine" in donnes:
        valeurs["budget_semaine"] = saisie.budget_semaine
    if "heures" in donnes:
        valeurs["heures"] = _heures(saisie.heures, deps)
    if "cadences" in donnes:
        valeurs["cadences"] = {profil_id: cadence.value for profil_id, cadence in saisie.cadences.items()}
    return valeurs


def _heures(heures: HeuresSaisies | None, deps: Deps) -> dict[str, int] | None:
    if heures is None:
        return None
    try:
        deps.atelier.politique.regle_sms.pour(Heures(dt.time(heures.debut), dt.time(heures.fin)))
    except HeuresImpossibles as error:
        raise FieldProblem("heures", str(error)) from error
    return {"debut": heures.debut, "fin": heures.fin}


def _vue(contact: Contact, deps: Deps) -> Response:
    choix, politique = contact.choix, deps.atelier.politique
    heures = choix.heures or politique.regle_sms.heures
    numero = contact.adresses.get(Canal.SMS)
    corps = {
        "version": choix.version,
        "pause_jusqua": choix.pause_jusqua,
        # Null without any limit: 0 is a choice, which keeps ordinary alerts for digests.
        "budget_semaine": (politique.budget or None) if choix.budget_semaine is None else choix.budget_semaine,
        "canaux": {canal.value: canal in contact.accords for canal in Canal},
        "telephone": numeros.masquer(numero) if numero else None,
        "heures": {"debut": heures.debut.hour, "fin": heures.fin.hour},
        "cadences": {profil_id: cadence.value for profil_id, cadence in choix.cadences.items()},
        "refus": sorted(choix.refus),
    }
    return json(corps, entetes={"etag": etag(choix.version)})


class AbonnementPush(Corps):
    """What the browser gives: passed on as it is to the push service."""

    subscription: dict[str, Any]


@public.get(
    "/push/cle",
    response_model=views.VueClePush,
    responses={404: {"description": "Pas de notifications ici."}},
)
async def cle_push(deps: Deps) -> Response:
    """The public key by which browsers know us (VAPID); 404 where there is none."""
    if deps.cle_push is None:
        raise not_found("Cette clé")
    return json({"cle": deps.cle_push})


@public.post("/mes/push", status_code=204)
async def abonner_navigateur(saisie: AbonnementPush, qui: Qui, deps: Deps) -> Response:
    abonnement = json(saisie.subscription).body
    point = saisie.subscription.get("endpoint")
    if not isinstance(point, str) or not hote_admis(point) or len(abonnement) > _ABONNEMENT_MAX:
        raise FieldProblem("subscription", "Ce navigateur n’a pas donné d’abonnement utilisable.")
    await deps.atelier.contacts.abonner_navigateur(qui.sub, bytes(abonnement).decode())
    return Response(status_code=204)


@public.delete("/mes/push", status_code=204)
async def oublier_navigateur(qui: Qui, deps: Deps) -> Response:
    await deps.atelier.contacts.oublier_navigateur(qui.sub)
    return Response(status_code=204)


class NumeroPropose(Corps):
    compte_id: Identifiant
    numero: str = Field(min_length=1, max_length=40)


class CodeSaisi(Corps):
    code: str = Field(min_length=1, max_length=20)


@interne.post("", status_code=202)
async def proposer_numero(saisie: NumeroPropose, deps: Deps) -> Response:
    try:
        numero = numeros.lire(saisie.numero)
    except numeros.NumeroInvalide as error:
        raise FieldProblem("numero", str(error)) from error
    if await deps.atelier.regles_sms.sature():
        # At its ceiling no code leaves either: better said than waited for.
        raise Problem(409, "sms-suspendus", "SMS suspendus", _SUSPENDUS)
    try:
        await deps.atelier.telephones.proposer(saisie.compte_id, numero)
    except PaysNonDesservi as error:
        raise FieldProblem("numero", _NON_DESSERVI) from error
    except TropDeCodes as error:
        raise Problem(429, "trop-de-demandes", "Trop de demandes", _TROP, headers={"Retry-After": "3600"}) from error
    return Response(status_code=202)


@interne.post("/{compte_id}/confirmation", status_code=204)
async def confirmer_numero(compte_id: Identifiant, saisie: CodeSaisi, deps: Deps) -> Response:
    try:
        await deps.atelier.telephones.confirmer(compte_id, "".join(saisie.code.split()))
    except CodeRefuse as error:
        phrase = "Ce code n’est pas le bon, ou il n’est plus valable. Vérifiez-le ou demandez-en un autre."
        raise FieldProblem("code", phrase) from error
    return Response(status_code=204)


@interne.delete("/{compte_id}", status_code=204)
async def retirer_numero(compte_id: Identifiant, deps: Deps, request: Request) -> Response:
    await deps.atelier.telephones.retirer(compte_id)
    return Response(status_code=204)
