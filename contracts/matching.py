"""Events of the service matching."""

from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from contracts.annonces import Annonce
from contracts.base import Evenement, Valeur
from contracts.commun import Code, Identifiant, Instant, Lieu, Nature, Sens


class Profil(Valeur):
    """What a person wants to be alerted about. Empty natures, categories, domaines or creneaux mean any.

    `sens` is the sens of the wanted annonces: besoin for people who help, offre for an association that looks for
    something. `rayon_km` is the radius around `lieu`, in kilometres. `mineur`: under 18, only annonces open to minors.
    `pmr`: reduced mobility, only accessible places.
    """

    profil_id: Identifiant
    version: int = Field(ge=1)
    compte_id: Identifiant
    sens: Sens
    natures: list[Nature] = []
    domaines: list[Code] = []
    categories: list[Code] = []
    creneaux: list[Code] = []
    certifications: list[Code] = []
    lieu: Lieu
    rayon_km: float = Field(gt=0, le=64)
    a_distance: bool = True
    mineur: bool = False
    pmr: bool = False
    actif: bool = True
    cree_at: Instant


class EvenementProfil(Evenement):
    topic: ClassVar[str] = "matching.profil.v1"
    profil: Profil

    @property
    def key(self) -> str:
        return self.profil.profil_id


class ProfilEnregistre(EvenementProfil):
    """New or changed."""


class ProfilDesactive(EvenementProfil):
    """Unsubscribed or erased: it is never alerted again."""


class CodeRaison(StrEnum):
    DISTANCE = "distance"
    A_DISTANCE = "a_distance"
    CRENEAU = "creneau"
    CATEGORIE = "categorie"
    DOMAINE = "domaine"
    NATURE = "nature"
    CERTIFICATION = "certification"
    URGENT = "urgent"


class Raison(Valeur):
    """One reason of a match: `valeur` is a code of a reference list, or the distance in metres."""

    code: CodeRaison
    valeur: str = ""


class Destinataire(Valeur):
    """One person. `profil_id`: the best of their profils that the annonce concerns, to which `distance_m` and `score`
    belong; `autres_profils`: the others, best first. `raisons`: those of all."""

    profil_id: Identifiant
    compte_id: Identifiant
    distance_m: int | None
    score: int
    raisons: list[Raison]
    autres_profils: list[Identifiant] = []


class CorrespondancesTrouvees(Evenement):
    """At most 500 people whom one version of an annonce concerns, best match first.

    Chunks are independent, because readers compare versions. Each chunk has its own key, so that all workers share the
    work for an annonce that concerns the whole city.
    """

    topic: ClassVar[str] = "matching.correspondance.v1"
    annonce: Annonce
    lot: int = Field(ge=0)
    lots: int = Field(ge=1)
    destinataires: list[Destinataire] = Field(max_length=500)

    @property
    def key(self) -> str:
        return f"{self.annonce.annonce_id}:{self.lot}"
