"""The life of a reponse ("je peux aider"). Pure."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from contracts import annonces as evenements
from contracts.annonces import Annonce, EtatAnnonce, EtatReponse, EvenementReponse, RaisonSansEffet, Reponse
from contracts.commun import Identifiant
from contracts.notifications import Canal
from services.annonces.domain import Refus


class ActionReponse(StrEnum):
    ACCEPTER = "accepter"
    DECLINER = "decliner"
    LIBERER = "liberer"
    ANNULER = "annuler"
    PROMOUVOIR = "promouvoir"
    CLORE = "clore"
    CONFIRMER = "confirmer"


_E = EtatReponse

TRANSITIONS: Mapping[tuple[EtatReponse, ActionReponse], EtatReponse] = MappingProxyType(
    {
        (_E.DEPOSEE, ActionReponse.ACCEPTER): _E.ACCEPTEE,
        (_E.DEPOSEE, ActionReponse.DECLINER): _E.DECLINEE,
        (_E.DEPOSEE, ActionReponse.ANNULER): _E.ANNULEE,
        (_E.DEPOSEE, ActionReponse.CLORE): _E.CLOSE,
        (_E.ACCEPTEE, ActionReponse.ANNULER): _E.ANNULEE,
        # The author takes the acceptance back: a mistake, or somebody who did not come.
        (_E.ACCEPTEE, ActionReponse.LIBERER): _E.DECLINEE,
        (_E.ACCEPTEE, ActionReponse.CLORE): _E.CLOSE,
        (_E.EN_ATTENTE, ActionReponse.PROMOUVOIR): _E.DEPOSEE,
        (_E.EN_ATTENTE, ActionReponse.DECLINER): _E.DECLINEE,
        (_E.EN_ATTENTE, ActionReponse.ANNULER): _E.ANNULEE,
        (_E.EN_ATTENTE, ActionReponse.CLORE): _E.CLOSE,
    }
)

EVENEMENTS: Mapping[ActionReponse, type[EvenementReponse]] = MappingProxyType(
    {
        ActionReponse.ACCEPTER: evenements.ReponseAcceptee,
        ActionReponse.DECLINER: evenements.ReponseDeclinee,
        ActionReponse.LIBERER: evenements.ReponseLiberee,
        ActionReponse.ANNULER: evenements.ReponseAnnulee,
        ActionReponse.PROMOUVOIR: evenements.ReponsePromue,
        ActionReponse.CLORE: evenements.ReponseClose,
    }
)

ACTIVES = frozenset({_E.DEPOSEE, _E.ACCEPTEE})
"""They hold their places."""

EN_COURS = ACTIVES | {_E.EN_ATTENTE}
"""Something may still come of them: an account has at most one of these per annonce."""

DECLINS_MAX = 2
"""How often an author may be asked by the same account: once more after a « non »."""

_SANS_SUITE = frozenset({EtatAnnonce.REFUSEE, EtatAnnonce.RETIREE})

_FERMEES: Mapping[EtatAnnonce, RaisonSansEffet] = MappingProxyType(
    {
        EtatAnnonce.DEPOSEE: RaisonSansEffet.PAS_PUBLIEE,
        EtatAnnonce.A_CORRIGER: RaisonSansEffet.PAS_PUBLIEE,
        EtatAnnonce.REFUSEE: RaisonSansEffet.RETIREE,
        EtatAnnonce.RETIREE: RaisonSansEffet.RETIREE,
        EtatAnnonce.EXPIREE: RaisonSansEffet.EXPIREE,
    }
)


class ReponseImpossible(Refus):
    def __init__(self, etat: EtatReponse, action: ActionReponse) -> None:
        super().__init__(f"{action} is forbidden in the state {etat}")
        self.etat, self.action = etat, action


class AnnonceSansSuite(Refus):
    """The annonce was refused or withdrawn: no answer to it can be accepted any more."""


class SansEffet(Refus):
    """Nothing comes of an answer, or of taking one back; `existante`: the answer that stands (deja_repondu)."""

    def __init__(
        self, raison: RaisonSansEffet, annonce: Annonce | None = None, existante: Reponse | None = None
    ) -> None:
        super().__init__(f"nothing changes: {raison}")
        self.raison, self.annonce, self.existante = raison, annonce, existante


@dataclass(frozen=True)
class Origine:
    """The message by which somebody acted, and its channel; not there when it was on the site."""

    message_id: Identifiant
    canal: Canal


@dataclass(frozen=True)
class Demande:
    """What somebody asks for who answers. `attendre`: even if they must wait; `texte`: their words to the author."""

    reponse_id: Identifiant
    annonce_id: Identifiant
    compte_id: Identifiant
    quantite: int
    attendre: bool
    texte: str = ""
    origine: Origine | None = None


@dataclass(frozen=True)
class ChangementReponse:
    reponse: Reponse
    evenement: EvenementReponse


def verifier(
    annonce: Annonce,
    gerants: Sequence[Identifiant],
    compte_id: Identifiant,
    existante: Reponse | None,
    now: dt.datetime,
    *,
    declins: int = 0,
) -> None:
    """May this account answer this annonce? Raises SansEffet with the first reason why not.

    `declins`: how many of its answers were declined. An annonce that was never published is unknown: its id says
    nothing to somebody who guesses it.
    """
    if compte_id in gerants:
        raise SansEffet(RaisonSansEffet.SA_PROPRE_ANNONCE, annonce)
    if annonce.publiee_at is None:
        raise SansEffet(RaisonSansEffet.INCONNUE)
    if existante is not None:
        raise SansEffet(RaisonSansEffet.DEJA_REPONDU, annonce, existante)
    raison = _FERMEES.get(annonce.etat)
    if raison is None and annonce.expire_at <= now:
        # Its last day is over, even though the expiry loop has not come by yet.
        raison = RaisonSansEffet.EXPIREE
    if raison is None and declins >= DECLINS_MAX:
        raison = RaisonSansEffet.DEJA_DECLINE
    if raison is not None:
        raise SansEffet(raison, annonce)


def repondre(
    demande: Demande, annonce: Annonce, *, quantite: int, destinataires: Sequence[Identifiant], now: dt.datetime
) -> ChangementReponse:
    """A new answer that holds `quantite` places; `annonce` is already the one in which they are reserved."""
    return _nouvelle(
        demande,
        annonce,
        evenements.ReponseDeposee,
        etat=EtatReponse.DEPOSEE,
        **_reservees(annonce, quantite, demande.quantite),
        destinataires=list(destinataires),
        deposee_at=now,
    )


def attendre(
    demande: Demande, annonce: Annonce, *, rang: int, destinataires: Sequence[Identifiant], now: dt.datetime
) -> ChangementReponse:
    """A new answer that waits, at `rang` of the list."""
    return _nouvelle(
        demande,
        annonce,
        evenements.ReponseEnAttente,
        etat=EtatReponse.EN_ATTENTE,
        quantite=demande.quantite,
        rang=rang,
        places=annonce.places,
        destinataires=list(destinataires),
        deposee_at=now,
    )


def promouvoir(
    reponse: Reponse, annonce: Annonce, *, quantite: int, destinataires: Sequence[Identifiant]
) -> ChangementReponse:
    """One that waited gets `quantite` places; `annonce` is already the one in which they are reserved."""
    champs = {
        **_reservees(annonce, quantite, reponse.quantite),
        "rang": None,
        "destinataires": list(destinataires),
    }
    return _appliquer(reponse, ActionReponse.PROMOUVOIR, champs)


def agir(
    reponse: Reponse,
    action: ActionReponse,
    etat_annonce: EtatAnnonce,
    destinataires: Sequence[Identifiant] | None = None,
    origine: Origine | None = None,
    *,
    mot: bool = False,
) -> ChangementReponse:
    """Accepts, declines, frees or takes back an answer; `destinataires`: who is told now (members change). `mot`: with
    a word of the author, where the answer is declined or freed.

    Raises ReponseImpossible or AnnonceSansSuite.
    """
    _verifier(reponse.etat, action)
    if action is ActionReponse.ACCEPTER and etat_annonce in _SANS_SUITE:
        raise AnnonceSansSuite(f"the annonce is {etat_annonce}")
    champs: dict[str, object] = {} if destinataires is None else {"destinataires": list(destinataires)}
    if action is not ActionReponse.ACCEPTER:
        champs |= {"place": None, "rang": None}
    return _appliquer(reponse, action, champs, _du_message(origine) | ({"mot": True} if mot else {}))


def clore(reponse: Reponse, raison: evenements.RaisonCloture) -> ChangementReponse:
    """The annonce ended before. Raises ReponseImpossible."""
    return _appliquer(reponse, ActionReponse.CLORE, {"place": None, "rang": None}, {"raison": raison})


def confirmer(reponse: Reponse, origine: Origine | None = None) -> evenements.ReponseConfirmee:
    """It still holds after a change: nothing of it is different. Raises ReponseImpossible."""
    if reponse.etat not in EN_COURS:
        raise ReponseImpossible(reponse.etat, ActionReponse.CONFIRMER)
    return evenements.ReponseConfirmee.model_validate({"reponse": reponse, **_du_message(origine)})


def rend_ses_places(avant: EtatReponse, apres: EtatReponse) -> bool:
    """True when this step gives the places back to the annonce."""
    return avant in ACTIVES and apres not in ACTIVES


def _reservees(annonce: Annonce, quantite: int, demandee: int) -> dict[str, int | None]:
    return {
        "quantite": quantite,
        "quantite_demandee": demandee if quantite < demandee else None,
        "place": annonce.places - annonce.places_restantes,
        "places": annonce.places,
    }


def _nouvelle(
    demande: Demande, annonce: Annonce, evenement: type[EvenementReponse], **champs: object
) -> ChangementReponse:
    reponse = Reponse.model_validate(
        {
            "reponse_id": demande.reponse_id,
            "version": 1,
            "annonce_id": annonce.annonce_id,
            "annonce_titre": annonce.titre,
            "compte_id": demande.compte_id,
            "canal": demande.origine.canal if demande.origine else None,
            **champs,
        }
    )
    return ChangementReponse(reponse, evenement(reponse=reponse, **_du_message(demande.origine)))


def _du_message(origine: Origine | None) -> dict[str, object]:
    return {} if origine is None else {"message_id": origine.message_id, "message_canal": origine.canal}


def _verifier(etat: EtatReponse, action: ActionReponse) -> EtatReponse:
    suivant = TRANSITIONS.get((etat, action))
    if suivant is None:
        raise ReponseImpossible(etat, action)
    return suivant


def _appliquer(
    reponse: Reponse,
    action: ActionReponse,
    champs: Mapping[str, object],
    du_fait: Mapping[str, object] = MappingProxyType({}),
) -> ChangementReponse:
    etat = _verifier(reponse.etat, action)
    suivante = reponse.model_copy(update={**champs, "etat": etat, "version": reponse.version + 1})
    return ChangementReponse(suivante, EVENEMENTS[action].model_validate({"reponse": suivante, **du_fait}))
