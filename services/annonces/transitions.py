"""What may happen to an annonce in which state, where it leads, and by which event it is told. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from contracts import annonces as evenements
from contracts.annonces import EtatAnnonce, EvenementAnnonce


class Action(StrEnum):
    CORRIGER = "corriger"
    MODIFIER = "modifier"
    APPROUVER = "approuver"
    DEMANDER_CORRECTION = "demander_correction"
    REFUSER = "refuser"
    RETIRER = "retirer"
    RESERVER = "reserver"
    LIBERER = "liberer"
    POURVOIR = "pourvoir"
    ROUVRIR = "rouvrir"
    EXPIRER = "expirer"


_E = EtatAnnonce

TRANSITIONS: Mapping[tuple[EtatAnnonce, Action], EtatAnnonce] = MappingProxyType(
    {
        (_E.DEPOSEE, Action.CORRIGER): _E.DEPOSEE,
        (_E.DEPOSEE, Action.APPROUVER): _E.PUBLIEE,
        (_E.DEPOSEE, Action.DEMANDER_CORRECTION): _E.A_CORRIGER,
        (_E.DEPOSEE, Action.REFUSER): _E.REFUSEE,
        (_E.DEPOSEE, Action.RETIRER): _E.RETIREE,
        (_E.DEPOSEE, Action.EXPIRER): _E.EXPIREE,
        (_E.A_CORRIGER, Action.CORRIGER): _E.DEPOSEE,
        (_E.A_CORRIGER, Action.RETIRER): _E.RETIREE,
        (_E.A_CORRIGER, Action.EXPIRER): _E.EXPIREE,
        (_E.PUBLIEE, Action.MODIFIER): _E.PUBLIEE,
        # The approval of a new text.
        (_E.PUBLIEE, Action.APPROUVER): _E.PUBLIEE,
        # A trusted association is published at once and read afterwards: what is wrong is then undone from here.
        (_E.PUBLIEE, Action.DEMANDER_CORRECTION): _E.A_CORRIGER,
        (_E.PUBLIEE, Action.REFUSER): _E.REFUSEE,
        (_E.PUBLIEE, Action.RETIRER): _E.RETIREE,
        (_E.PUBLIEE, Action.RESERVER): _E.PUBLIEE,
        (_E.PUBLIEE, Action.LIBERER): _E.PUBLIEE,
        (_E.PUBLIEE, Action.POURVOIR): _E.POURVUE,
        (_E.PUBLIEE, Action.EXPIRER): _E.EXPIREE,
        (_E.POURVUE, Action.DEMANDER_CORRECTION): _E.A_CORRIGER,
        (_E.POURVUE, Action.REFUSER): _E.REFUSEE,
        (_E.POURVUE, Action.POURVOIR): _E.POURVUE,
        (_E.POURVUE, Action.ROUVRIR): _E.PUBLIEE,
        (_E.POURVUE, Action.RETIRER): _E.RETIREE,
        (_E.POURVUE, Action.EXPIRER): _E.EXPIREE,
    }
)
"""What may happen in which state, and where it leads. All that is absent is forbidden."""

EVENEMENTS: Mapping[Action, type[EvenementAnnonce]] = MappingProxyType(
    {
        Action.CORRIGER: evenements.AnnonceDeposee,
        Action.MODIFIER: evenements.AnnonceModifiee,
        Action.APPROUVER: evenements.AnnoncePubliee,
        Action.DEMANDER_CORRECTION: evenements.AnnonceACorriger,
        Action.REFUSER: evenements.AnnonceRefusee,
        Action.RETIRER: evenements.AnnonceRetiree,
        Action.RESERVER: evenements.AnnonceModifiee,
        Action.LIBERER: evenements.AnnonceModifiee,
        Action.POURVOIR: evenements.AnnoncePourvue,
        # Not AnnoncePubliee: a freed place alerts nobody a second time.
        Action.ROUVRIR: evenements.AnnonceModifiee,
        Action.EXPIRER: evenements.AnnonceExpiree,
    }
)

FINAUX = frozenset({_E.REFUSEE, _E.RETIREE, _E.EXPIREE})
VIVANTS = frozenset(set(_E) - FINAUX)
EN_LIGNE = frozenset({_E.PUBLIEE, _E.POURVUE})
