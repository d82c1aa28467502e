"""What the gateway sends us, checked: addresses become header values, so they are checked most."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from contracts.commun import Identifiant
from contracts.comptes import Consentement
from kit.addresses import normalize
from services.notifications.contacts.store import Fiche

Adresse = Annotated[str, Field(max_length=254), AfterValidator(normalize)]
"""The gateway takes addresses by the same rule: what it took is never refused here."""


class Corps(BaseModel):
    model_config = ConfigDict(extra="forbid")


class DemandeContact(Corps):
    """Without `email` only the consents are stored: the gateway does not keep the address."""

    email: Adresse | None = None
    consentements: list[Consentement] = Field(default=[], max_length=20)
    version: int = Field(ge=1)

    def fiche(self, compte_id: str) -> Fiche:
        return Fiche(compte_id, self.email, self.consentements, self.version)


class DemandeContactDe(DemandeContact):
    compte_id: Identifiant


class DemandeCode(Corps):
    compte_id: Identifiant
    email: Adresse
    code: str = Field(pattern=r"^[0-9]{4,10}$")


class DemandeBilan(Corps):
    """`apres`: the last row of a page; the next page begins after it."""

    annonce_ids: list[Identifiant] = Field(min_length=1, max_length=500)
    apres: Identifiant | None = None
