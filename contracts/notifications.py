"""Events of the service notifications."""

from enum import StrEnum
from typing import ClassVar

from contracts.base import Evenement
from contracts.commun import Identifiant, Instant


class Canal(StrEnum):
    EMAIL = "email"
    SMS = "sms"
    PUSH = "push"


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
