"""Events of the service moderation."""

from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from contracts.base import Evenement, Valeur
from contracts.commun import Identifiant, Instant


class TypeCible(StrEnum):
    ANNONCE = "annonce"
    ASSOCIATION = "association"


class Issue(StrEnum):
    APPROUVEE = "approuvee"
    A_CORRIGER = "a_corriger"
    REFUSEE = "refusee"
    RETIREE = "retiree"


class Motif(Valeur):
    """A reason: code of the list motifs, sentence for the author, and (for the values of the Republic) the commitment
    and the quoted passage."""

    code: str
    explication: str = ""
    engagement: int | None = Field(default=None, ge=1, le=7)
    passage: str | None = None


class Decision(Valeur):
    """`cible_version` is the version that was read: the decision is stale once a later version exists. `destinataires`
    are the accounts to inform. `automatique` is true when the policy "confiance" decided. `correction`: about a new
    text of an annonce whose approved text stays online, whatever is decided.
    """

    decision_id: Identifiant
    dossier_id: Identifiant
    cible_type: TypeCible
    cible_id: Identifiant
    cible_version: int = Field(ge=1)
    cible_titre: str
    issue: Issue
    motifs: list[Motif] = []
    automatique: bool = False
    correction: bool = False
    destinataires: list[Identifiant]
    decidee_at: Instant


class DecisionPrise(Evenement):
    """A moderator, or the policy "confiance", decided about an annonce or an association."""

    topic: ClassVar[str] = "moderation.decision.v1"
    decision: Decision

    @property
    def key(self) -> str:
        return self.decision.cible_id
