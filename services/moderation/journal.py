"""Entries of the audit trail, and the event of a decision. Pure."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from contracts.moderation import Decision, DecisionPrise, Issue, Motif
from services.moderation.domain import COMPTE_EFFACE, Dossier, emet

Entree = dict[str, Any]


def decision(
    avant: Dossier, apres: Dossier, motifs: Sequence[Motif], *, par: str, now: dt.datetime, automatique: bool = False
) -> Entree:
    """A row of `decisions`: who decided what about which version, when and why. `par` is "" when the policy decided."""
    return {
        "_id": apres.decision_id,
        "sorte": "decision",
        "par": par,
        "at": now,
        "dossier_id": apres.dossier_id,
        "cible_type": apres.cible_type.value,
        "cible_id": apres.cible_id,
        "cible_version": apres.version,
        "cible_titre": apres.titre,
        "association_id": apres.auteur.association_id,
        "auteur_compte_id": apres.auteur.compte_id,
        "avant": avant.etat.value,
        "apres": apres.etat.value,
        "issue": (apres.issue or Issue.APPROUVEE).value,
        "motifs": [motif.model_dump(mode="json") for motif in motifs],
        "automatique": automatique,
        "jeton": avant.jeton,
    }


def confiance(entree_id: str, association: Entree, accordee: bool, *, par: str, now: dt.datetime) -> Entree:
    """Entry for trust given to an association or withdrawn."""
    return {
        "_id": entree_id,
        "sorte": "confiance",
        "par": par,
        "at": now,
        "cible_type": "association",
        "cible_id": association["_id"],
        "cible_version": association["version"],
        "cible_titre": association["nom"],
        "association_id": association["_id"],
        "avant": bool(association.get("confiance")),
        "apres": accordee,
    }


def destinataires(dossier: Dossier, association: Mapping[str, Any] | None) -> list[str]:
    """Accounts to inform: the members of the association, or else the author, unless erased."""
    comptes = list(association["membres"]) if association else [dossier.auteur.compte_id]
    return [compte for compte in comptes if compte != COMPTE_EFFACE]


def evenement(
    dossier: Dossier,
    motifs: Sequence[Motif],
    destinataires: Sequence[str],
    now: dt.datetime,
    *,
    version_connue: int,
    automatique: bool = False,
) -> DecisionPrise | None:
    """The event for other services; None for a confirmation, which changes nothing for them.

    `version_connue` is the latest version of the target. A withdrawal applies to it, because taken places create new
    versions; other decisions apply to the version that was read.
    """
    issue = dossier.issue
    if issue is None or dossier.decision_id is None or not (automatique or emet(dossier, issue)):
        return None
    retire = issue is Issue.RETIREE
    return DecisionPrise(
        decision=Decision(
            decision_id=dossier.decision_id,
            dossier_id=dossier.dossier_id,
            cible_type=dossier.cible_type,
            cible_id=dossier.cible_id,
            cible_version=max(dossier.version, version_connue) if retire else dossier.version,
            cible_titre=dossier.titre,
            issue=issue,
            motifs=list(motifs),
            automatique=automatique,
            correction=dossier.approuvee is not None and not retire,
            destinataires=list(destinataires),
            decidee_at=now,
        )
    )
