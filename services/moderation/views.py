"""JSON representation of dossiers, entries of the audit trail and associations: models for the description of the API,
and functions that build it. Pure."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, JsonValue

from contracts import references
from contracts.commun import Auteur
from contracts.moderation import Issue, Motif, TypeCible
from services.moderation.domain import ISSUES, Dossier, Etat
from services.moderation.hints import Indice
from services.moderation.motifs import proposables

Json = dict[str, Any]


class BailVu(BaseModel):
    par: str
    expire_at: dt.datetime
    a_vous: bool


class VueDossier(BaseModel):
    """`jeton_bail`: null for whoever does not hold the dossier."""

    dossier_id: str
    cible_type: TypeCible
    cible_id: str
    cible_version: int
    etat: Etat
    revue: bool
    urgent: bool
    titre: str
    auteur: Auteur
    recu_at: dt.datetime
    bail: BailVu | None
    jeton_bail: int | None
    issue: Issue | None
    decision_id: str | None
    ferme_at: dt.datetime | None


class PageDossiers(BaseModel):
    dossiers: list[VueDossier]
    total: int
    page: int
    taille: int


class VueEntree(BaseModel):
    """An entry of the audit trail: a decision, or trust given or taken back, which has fewer fields."""

    entree_id: str
    sorte: str
    par: str
    at: dt.datetime
    cible_type: TypeCible
    cible_id: str
    cible_version: int
    cible_titre: str
    association_id: str | None
    avant: str | bool
    apres: str | bool
    dossier_id: str = ""
    auteur_compte_id: str = ""
    issue: Issue = Issue.APPROUVEE
    motifs: list[Motif] = []
    automatique: bool = False
    jeton: int = 0


class PageJournal(BaseModel):
    decisions: list[VueEntree]
    total: int
    page: int
    taille: int


class DossierOuvert(VueDossier):
    """`historique`: issue → number, of the ads of the association. `motifs`: those that can be chosen."""

    description: str
    contenu: dict[str, JsonValue]
    indices: list[Indice]
    historique: dict[str, int]
    decisions: list[VueEntree]
    issues: list[Issue]
    motifs: list[references.Motif]


class Prise(BaseModel):
    dossier_id: str
    jeton_bail: int
    expire_at: dt.datetime | None


class VueAssociation(BaseModel):
    association_id: str
    nom: str
    etat: str
    rna: str | None
    siren: str | None
    domaines: list[str]
    confiance: bool
    historique: dict[str, int]


class PageAssociations(BaseModel):
    associations: list[VueAssociation]
    total: int
    page: int
    taille: int


class Confiance(BaseModel):
    association_id: str
    nom: str
    confiance: bool


def instant(at: dt.datetime | None) -> str | None:
    """ISO 8601 in UTC."""
    return at.astimezone(dt.UTC).isoformat().replace("+00:00", "Z") if at else None


def resume(dossier: Dossier, now: dt.datetime, vous: str) -> Json:
    """A line of the queue. `jeton_bail` is shown to the holder only."""
    tenu = dossier.tenu_par(vous, now)
    bail = dossier.bail if dossier.bail and dossier.bail.expire_at > now else None
    return {
        "dossier_id": dossier.dossier_id,
        "cible_type": dossier.cible_type,
        "cible_id": dossier.cible_id,
        "cible_version": dossier.version,
        "etat": dossier.etat_a(now),
        "revue": dossier.revue,
        "urgent": dossier.urgent,
        "titre": dossier.titre,
        "auteur": dossier.auteur.model_dump(mode="json"),
        "recu_at": instant(dossier.recu_at),
        "bail": {"par": bail.par, "expire_at": instant(bail.expire_at), "a_vous": tenu} if bail else None,
        "jeton_bail": dossier.jeton if tenu else None,
        "issue": dossier.issue,
        "decision_id": dossier.decision_id,
        "ferme_at": instant(dossier.ferme_at),
    }


def detail(
    dossier: Dossier,
    now: dt.datetime,
    vous: str,
    *,
    indices: Sequence[Indice],
    historique: Mapping[str, int],
    decisions: Sequence[Mapping[str, Any]],
) -> Json:
    """A dossier with all that is needed to decide it. `historique`: issue → number of decisions about annonces of the
    association."""
    return {
        **resume(dossier, now, vous),
        "description": dossier.description,
        "contenu": dossier.contenu,
        "indices": [vars(indice) for indice in indices],
        "historique": dict(historique),
        "decisions": [entree(row) for row in decisions],
        "issues": list(ISSUES[dossier.revue]),
        "motifs": [motif.model_dump(mode="json") for motif in proposables(dossier.cible_type, revue=dossier.revue)],
    }


def entree(row: Mapping[str, Any]) -> Json:
    """An entry of the audit trail."""
    return {
        "entree_id": row["_id"],
        **{k: v for k, v in row.items() if k not in ("_id", "at")},
        "at": instant(row["at"]),
    }


def association(row: Mapping[str, Any], historique: Mapping[str, int]) -> Json:
    """An association as moderators see it, without member ids."""
    return {
        "association_id": row["_id"],
        "nom": row["nom"],
        "etat": row["etat"],
        "rna": row.get("rna"),
        "siren": row.get("siren"),
        "domaines": list(row.get("domaines", [])),
        "confiance": bool(row.get("confiance")),
        "historique": dict(historique),
    }
