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
    """What a person who answers an alert by a message wants."""

    REPONDRE = "repondre"
    ANNULER = "annuler"


class EnvoisRemis(Evenement):
    """A group of alerts about one annonce was accepted by the provider of its channel."""

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
    """A person used the unsubscribe link of an alert: the profil gets no more alerts."""

    topic: ClassVar[str] = "notifications.envoi.v1"
    envoi_id: Identifiant
    profil_id: Identifiant
    demande_at: Instant

    @property
    def key(self) -> str:
        return self.envoi_id


class ReponseParMessage(Evenement):
    """A person answered an alert by SMS or through a link. annonces reserves the places, or publishes why it cannot.

    `reponse_id` is the id of the answer to create, so that the same message received twice creates one. `quantite`:
    number of places or objects.
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
