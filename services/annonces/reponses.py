"""The life of a reponse ("je peux aider"). Pure."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from contracts import annonces as evenements
from contracts.annonces import Annonce, EtatAnnonce, EtatReponse, EvenementReponse, Reponse
from contracts.commun import Identifiant
from services.annonces.domain import Refus


class ActionReponse(StrEnum):
    ACCEPTER = "accepter"
    DECLINER = "decliner"
    ANNULER = "annuler"


TRANSITIONS: Mapping[tuple[EtatReponse, ActionReponse], EtatReponse] = MappingProxyType(
    {
        (EtatReponse.DEPOSEE, ActionReponse.ACCEPTER): EtatReponse.ACCEPTEE,
        (EtatReponse.DEPOSEE, ActionReponse.DECLINER): EtatReponse.DECLINEE,
        (EtatReponse.DEPOSEE, ActionReponse.ANNULER): EtatReponse.ANNULEE,
        (EtatReponse.ACCEPTEE, ActionReponse.ANNULER): EtatReponse.ANNULEE,
    }
)

EVENEMENTS: Mapping[ActionReponse, type[EvenementReponse]] = MappingProxyType(
    {
        ActionReponse.ACCEPTER: evenements.ReponseAcceptee,
        ActionReponse.DECLINER: evenements.ReponseDeclinee,
        ActionReponse.ANNULER: evenements.ReponseAnnulee,
    }
)

ACTIVES = frozenset({EtatReponse.DEPOSEE, EtatReponse.ACCEPTEE})
"""They hold their places."""

_SANS_SUITE = frozenset({EtatAnnonce.REFUSEE, EtatAnnonce.RETIREE})


class ReponseImpossible(Refus):
    def __init__(self, etat: EtatReponse, action: ActionReponse) -> None:
        super().__init__(f"{action} is forbidden in the state {etat}")
        self.etat, self.action = etat, action


class AnnonceSansSuite(Refus):
    """The annonce was refused or withdrawn: no answer to it can be accepted any more."""


@dataclass(frozen=True)
class ChangementReponse:
    reponse: Reponse
    evenement: EvenementReponse


def repondre(
    reponse_id: Identifiant,
    annonce: Annonce,
    *,
    compte_id: Identifiant,
    destinataires: Sequence[Identifiant],
    quantite: int,
    now: dt.datetime,
) -> ChangementReponse:
    """A new answer; reserving its places in the annonce is the caller's, in the same transaction."""
    reponse = Reponse(
        reponse_id=reponse_id,
        version=1,
        etat=EtatReponse.DEPOSEE,
        annonce_id=annonce.annonce_id,
        annonce_titre=annonce.titre,
        quantite=quantite,
        compte_id=compte_id,
        destinataires=list(destinataires),
        deposee_at=now,
    )
    return ChangementReponse(reponse, evenements.ReponseDeposee(reponse=reponse))


def agir(
    reponse: Reponse,
    action: ActionReponse,
    etat_annonce: EtatAnnonce,
    destinataires: Sequence[Identifiant] | None = None,
) -> ChangementReponse:
    """Accepts, declines or takes back an answer; `destinataires`: who is told now (members change).

    Raises ReponseImpossible or AnnonceSansSuite.
    """
    suivant = TRANSITIONS.get((reponse.etat, action))
    if suivant is None:
        raise ReponseImpossible(reponse.etat, action)
    if action is ActionReponse.ACCEPTER and etat_annonce in _SANS_SUITE:
        raise AnnonceSansSuite(f"the annonce is {etat_annonce}")
    champs = {
        "etat": suivant,
        "version": reponse.version + 1,
        "destinataires": reponse.destinataires if destinataires is None else list(destinataires),
    }
    suivante = reponse.model_copy(update=champs)
    return ChangementReponse(suivante, EVENEMENTS[action](reponse=suivante))


def rend_ses_places(avant: EtatReponse, apres: EtatReponse) -> bool:
    """True when this step gives the places back to the annonce."""
    return avant in ACTIVES and apres not in ACTIVES
