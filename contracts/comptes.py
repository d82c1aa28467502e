"""Events of the gateway about accounts: ids and consents, never an address."""

from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from contracts.base import Evenement, Valeur
from contracts.commun import Identifiant, Instant
from contracts.notifications import Canal


class EtatCompte(StrEnum):
    ACTIF = "actif"
    EFFACE = "efface"


class Consentement(Valeur):
    """Consent to alerts on one channel. `preuve` names the act that gave it ("code saisi"), and contains no address."""

    canal: Canal
    accorde: bool
    preuve: str
    at: Instant


class Compte(Valeur):
    compte_id: Identifiant
    version: int = Field(ge=1)
    etat: EtatCompte
    consentements: list[Consentement] = []
    cree_at: Instant


class EvenementCompte(Evenement):
    topic: ClassVar[str] = "gateway.compte.v1"
    compte: Compte

    @property
    def key(self) -> str:
        return self.compte.compte_id


class CompteEnregistre(EvenementCompte):
    """A new account, or a change of its consents."""


class CompteEfface(EvenementCompte):
    """The person asked for erasure: every service erases what it stores about them."""
