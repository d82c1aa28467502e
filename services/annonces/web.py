"""What the routes share: who calls, pages, and the problem document of each refusal."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Query, Request, Response
from pydantic import Field

from contracts.annonces import EtatAnnonce, RaisonSansEffet
from kit.http.problems import FieldProblem, Problem, not_found, to_response
from kit.http.tokens import Identity, account, identity
from kit.http.versions import stale
from services.annonces.actions import Deps
from services.annonces.associations import AssociationRefuseeDefinitivement
from services.annonces.conversations.rules import ConversationFermee, PasParticipant, TropDeMessages
from services.annonces.dates import ChampInvalide
from services.annonces.domain import (
    FinFixee,
    PlacesDejaPrises,
    PlacesInsuffisantes,
    Refus,
    TransitionInterdite,
    VersionDepassee,
)
from services.annonces.reponses import AnnonceSansSuite, ReponseImpossible, SansEffet
from services.annonces.saisie import Requete
from services.annonces.transitions import Action

INTROUVABLE = "Cette annonce"
_PEUT_ATTENDRE = " Vous pouvez vous inscrire sur sa liste d’attente."
_ETATS = {
    EtatAnnonce.DEPOSEE: "attend sa modération",
    EtatAnnonce.A_CORRIGER: "attend d’être corrigée par son auteur",
    EtatAnnonce.REFUSEE: "a été refusée",
    EtatAnnonce.PUBLIEE: "est publiée",
    EtatAnnonce.POURVUE: "est déjà pourvue",
    EtatAnnonce.RETIREE: "a été retirée",
    EtatAnnonce.EXPIREE: "est terminée",
}
_ACTIONS = {
    Action.CORRIGER: "la modifier",
    Action.MODIFIER: "la modifier",
    Action.RETIRER: "la retirer",
    Action.RESERVER: "y répondre",
}


async def deps(request: Request) -> Deps:
    found: Deps = request.app.state.deps
    return found


AvecDeps = Annotated[Deps, Depends(deps)]
Visiteur = Annotated[Identity, Depends(identity)]
Compte = Annotated[Identity, Depends(account)]


class Pagination(Requete):
    page: int = Field(default=1, ge=1, le=1000)
    taille: int = Field(default=20, ge=1, le=100)


AvecPage = Annotated[Pagination, Query()]


def _problem(refus: Refus) -> Problem:
    match refus:
        case VersionDepassee():
            return stale(refus.actuelle)
        case TransitionInterdite():
            quoi = _ACTIONS.get(refus.action, "faire cela")
            detail = f"Cette annonce {_ETATS[refus.etat]}\u00a0: on ne peut pas {quoi}."
            if (refus.etat, refus.action) == (EtatAnnonce.POURVUE, Action.RESERVER):
                return _conflit("etat-incompatible", detail + _PEUT_ATTENDRE, etat=refus.etat.value, liste_attente=True)
            return _conflit("etat-incompatible", detail, etat=refus.etat.value)
        case PlacesInsuffisantes():
            detail = f"Il ne reste que {refus.restantes} place{'s' * (refus.restantes > 1)}."
            return _conflit(
                "places-insuffisantes",
                detail + _PEUT_ATTENDRE * refus.attente,
                places_restantes=refus.restantes,
                liste_attente=refus.attente,
            )
        case SansEffet():
            return _sans_effet(refus)
        case PlacesDejaPrises():
            tenues = f"{refus.prises} place{'s' * (refus.prises > 1)}"
            return FieldProblem(
                "places",
                f"Des réponses tiennent déjà {tenues}\u00a0: gardez-en autant, ou libérez-en d’abord.",
            )
        case FinFixee():
            detail = "Cette annonce se termine avec son dernier jour\u00a0: pour la prolonger, changez ses dates."
            return _conflit("fin-fixee", detail)
        case ReponseImpossible():
            detail = "Cette réponse n’est plus dans un état qui le permet\u00a0: rechargez la page."
            return _conflit("etat-incompatible", detail, etat=refus.etat.value)
        case AnnonceSansSuite():
            return _conflit("annonce-sans-suite", "Cette annonce a été retirée ou refusée.")
        case PasParticipant():
            return Problem(403, "acces-refuse", "Accès refusé", "Vous ne participez pas à cette conversation.")
        case ConversationFermee():
            return _conflit("conversation-fermee", "Cette conversation est fermée\u00a0: on ne peut plus y écrire.")
        case TropDeMessages():
            detail = "Vous avez écrit beaucoup de messages\u00a0: patientez une heure avant d’en écrire un autre."
            return Problem(429, "trop-de-messages", "Trop de messages", detail, headers={"Retry-After": "3600"})
        case AssociationRefuseeDefinitivement():
            return _conflit("etat-incompatible", "Cette association a été refusée\u00a0: on ne peut pas la modifier.")
        case _:
            raise refus


def _sans_effet(refus: SansEffet) -> Problem:
    match refus.raison:
        case RaisonSansEffet.SA_PROPRE_ANNONCE:
            return Problem(403, "sa-propre-annonce", "Action impossible", "On ne répond pas à sa propre annonce.")
        case RaisonSansEffet.DEJA_REPONDU:
            return deja_repondu()
        case RaisonSansEffet.DEJA_DECLINE:
            detail = "L’auteur de cette annonce a déjà décliné vos propositions\u00a0: on ne peut plus y répondre."
            return _conflit("deja-decline", detail)
        case RaisonSansEffet.EXPIREE:
            return _problem(TransitionInterdite(EtatAnnonce.EXPIREE, Action.RESERVER))
        case RaisonSansEffet.TROP_DE_PLACES if refus.annonce is not None:
            places = refus.annonce.places
            detail = f"Cette annonce n’a que {places} place{'s' * (places > 1)} en tout."
            return _conflit("trop-de-places", detail, places=places)
        case _:
            # What is withdrawn, or not published, does not exist for who looks.
            return not_found(INTROUVABLE)


def deja_repondu() -> Problem:
    detail = "Vous avez déjà répondu à cette annonce\u00a0: annulez d’abord votre réponse pour la changer."
    return Problem(409, "deja-repondu", "Réponse déjà donnée", detail)


def _conflit(slug: str, detail: str, **more: Any) -> Problem:
    return Problem(409, slug, "Action impossible", detail, **more)


def documented(*statuses: int) -> dict[int | str, dict[str, object]]:
    """The refusals of a route, for its OpenAPI description."""
    titles = {
        401: "Connexion requise",
        403: "Accès refusé",
        404: "Introuvable",
        409: "L’état ne le permet pas",
        412: "Version dépassée",
        422: "Données invalides",
        428: "If-Match manque",
        429: "Trop de demandes",
    }
    return {status: {"description": titles[status]} for status in statuses}


def install(app: FastAPI, refusals: Sequence[type[Exception]] = (Refus, ChampInvalide)) -> None:
    """Makes the refusals of the domain problem documents."""

    async def on_refusal(_: Request, error: Exception) -> Response:
        if isinstance(error, ChampInvalide):
            return to_response(FieldProblem(error.champ, error.message))
        if isinstance(error, Refus):
            return to_response(_problem(error))
        raise error

    for refusal in refusals:
        app.add_exception_handler(refusal, on_refusal)
