"""The life of an association: signed up, vetted by a person, and what it signed. Pure."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from contracts import annonces as evenements
from contracts.annonces import Association, Engagement, EtatAssociation, EvenementAssociation
from contracts.base import Valeur
from contracts.commun import Code, Identifiant, Lieu
from contracts.effacement import COMPTE_EFFACE
from contracts.moderation import Decision, Issue, Motif
from services.annonces.domain import Refus, VersionDepassee, VersionInconnue


class AssociationRefuseeDefinitivement(Refus):
    """Refused by a person: its file cannot be handed in again."""


class Presentation(Valeur):
    """What a member writes about the association."""

    nom: str
    rna: str | None
    siren: str | None
    description: str
    domaines: list[Code]
    lieu: Lieu


@dataclass(frozen=True)
class FicheAssociation:
    """`version_inscrite` is the version of the last text handed in; `motifs` are those of the last decision."""

    association: Association
    version_inscrite: int
    motifs: Sequence[Motif] = ()


@dataclass(frozen=True)
class ChangementAssociation:
    fiche: FicheAssociation
    evenement: EvenementAssociation | None


EVENEMENTS: dict[EtatAssociation, type[EvenementAssociation]] = {
    EtatAssociation.INSCRITE: evenements.AssociationInscrite,
    EtatAssociation.VALIDEE: evenements.AssociationValidee,
    EtatAssociation.REFUSEE: evenements.AssociationRefusee,
}


def inscrire(
    association_id: Identifiant,
    presentation: Presentation,
    *,
    compte_id: Identifiant,
    version_engagement: str,
    now: dt.datetime,
) -> ChangementAssociation:
    """A new association whose only member is who signed the contrat d'engagement républicain for it."""
    association = Association(
        **dict(presentation),
        association_id=association_id,
        version=1,
        etat=EtatAssociation.INSCRITE,
        engagement=Engagement(version=version_engagement, signe_at=now, signe_par=compte_id),
        membres=[compte_id],
        inscrite_at=now,
    )
    fiche = FicheAssociation(association, version_inscrite=1)
    return ChangementAssociation(fiche, evenements.AssociationInscrite(association=association))


def corriger(fiche: FicheAssociation, presentation: Presentation, *, version_lue: int) -> ChangementAssociation:
    """A new text: a person vets it again, even when the association was valid before.

    Raises AssociationRefuseeDefinitivement or VersionDepassee.
    """
    if fiche.association.etat is EtatAssociation.REFUSEE:
        raise AssociationRefuseeDefinitivement(fiche.association.association_id)
    if version_lue != fiche.association.version:
        raise VersionDepassee(fiche.association.version)
    change = _changer(fiche, **dict(presentation), etat=EtatAssociation.INSCRITE)
    return replace(change, fiche=replace(change.fiche, version_inscrite=change.fiche.association.version))


def appliquer_decision(fiche: FicheAssociation, decision: Decision) -> ChangementAssociation | None:
    """What a moderator decided; None when the decision is stale. Raises VersionInconnue."""
    association = fiche.association
    if decision.cible_version > association.version:
        raise VersionInconnue(f"version {decision.cible_version} of {association.association_id}")
    if association.etat is EtatAssociation.REFUSEE:
        return None
    if decision.cible_version < fiche.version_inscrite and decision.issue is not Issue.RETIREE:
        return None
    jugee = replace(fiche, motifs=tuple(decision.motifs))
    if decision.issue is Issue.APPROUVEE:
        if association.etat is EtatAssociation.VALIDEE:
            return ChangementAssociation(jugee, None)
        return _changer(jugee, etat=EtatAssociation.VALIDEE)
    if decision.issue is Issue.A_CORRIGER:
        # It stays signed up: its members see the reasons and hand a new text in.
        return ChangementAssociation(jugee, None)
    return _changer(jugee, etat=EtatAssociation.REFUSEE)


def retirer_membre(fiche: FicheAssociation, compte_id: Identifiant) -> ChangementAssociation:
    """Somebody's account was erased. That the engagement was signed, and when, stays on record."""
    association = fiche.association
    engagement = association.engagement
    if engagement.signe_par == compte_id:
        engagement = engagement.model_copy(update={"signe_par": COMPTE_EFFACE})
    membres = [membre for membre in association.membres if membre != compte_id]
    return _changer(fiche, membres=membres, engagement=engagement)


def _changer(fiche: FicheAssociation, **champs: object) -> ChangementAssociation:
    suivante = fiche.association.model_copy(update={"version": fiche.association.version + 1, **champs})
    evenement = EVENEMENTS[suivante.etat](association=suivante)
    return ChangementAssociation(replace(fiche, association=suivante), evenement)
