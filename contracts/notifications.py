"""Events of the service notifications."""

from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from contracts.base import Evenement
from contracts.commun import Identifiant, Instant


class Canal(StrEnum):
    EMAIL = "email"
    SMS = "sms"
    PUSH = "push"


class Intention(StrEnum):
    """What somebody wants who answers an alert by a message."""

    REPONDRE = "repondre"
    ANNULER = "annuler"


class EnvoisRemis(Evenement):
    """A group of alerts about one annonce was handed to the provider of its channel."""

    topic: ClassVar[str] = "notifications.envoi.v1"
    lot_id: Identifiant
    annonce_id: Identifiant
    canal: Canal
    profils: list[Identifiant]
    remis_at: Instant

    @property
    def key(self) -> str:
        return self.lot_id


class DesabonnementDemande(Evenement):
    """Somebody used the unsubscribe link of an alert: the profil gets nothing more."""

    topic: ClassVar[str] = "notifications.envoi.v1"
    envoi_id: Identifiant
    profil_id: Identifiant
    demande_at: Instant

    @property
    def key(self) -> str:
        return self.envoi_id


class ReponseParMessage(Evenement):
    """Somebody answered an alert by SMS or through a link: annonces reserves, or says why it cannot.

    `reponse_id` is that of the answer to be made: the same message twice makes one. `quantite`: places or objects.
    """

    topic: ClassVar[str] = "notifications.reponse.v1"
    reponse_id: Identifiant
    annonce_id: Identifiant
    compte_id: Identifiant
    canal: Canal
    intention: Intention
    quantite: int = Field(default=1, ge=1, le=1000)
    recue_at: Instant

    @property
    def key(self) -> str:
        return self.annonce_id
