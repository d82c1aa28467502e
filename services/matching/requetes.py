"""Requests of the API: wishes with codes of the reference lists, and a place given by quartier or coordinates."""

import datetime as dt
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, field_validator, model_validator

from contracts import references
from contracts.annonces import Annonce, EtatAnnonce
from contracts.commun import Auteur, Code, Identifiant, Lieu, Nature, Sens, TypeAuteur

PERSONNE = "personne"
EPOQUE = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class Souhaits(BaseModel):
    """Empty lists mean any. `rayon_km`: radius in kilometres around (`lat`, `lon`) in WGS 84, or else around the
    `quartier`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sens: Sens
    natures: list[Nature] = Field(default=[], max_length=4)
    domaines: list[Code] = Field(default=[], max_length=20)
    categories: list[Code] = Field(default=[], max_length=60)
    creneaux: list[Code] = Field(default=[], max_length=21)
    certifications: list[Code] = Field(default=[], max_length=20)
    quartier: Code | None = None
    lat: StrictFloat | None = Field(default=None, ge=-90, le=90, allow_inf_nan=False)
    lon: StrictFloat | None = Field(default=None, ge=-180, le=180, allow_inf_nan=False)
    rayon_km: StrictFloat = Field(default=5, gt=0, le=64, allow_inf_nan=False)
    a_distance: StrictBool = True
    mineur: StrictBool = False
    pmr: StrictBool = False

    @field_validator("domaines")
    @classmethod
    def _domaines(cls, codes: list[str]) -> list[str]:
        return _known(codes, references.valeurs("domaines"))

    @field_validator("categories")
    @classmethod
    def _categories(cls, codes: list[str]) -> list[str]:
        return _known(codes, references.categories())

    @field_validator("creneaux")
    @classmethod
    def _creneaux(cls, codes: list[str]) -> list[str]:
        return _known(codes, references.valeurs("creneaux"))

    @field_validator("certifications")
    @classmethod
    def _certifications(cls, codes: list[str]) -> list[str]:
        return _known(codes, references.valeurs("certifications"))

    @field_validator("quartier")
    @classmethod
    def _quartier(cls, code: str | None) -> str | None:
        return code if code is None else _known([code], references.quartiers())[0]

    @model_validator(mode="after")
    def _place(self) -> Self:
        if (self.lat is None) != (self.lon is None):
            raise ValueError("La latitude et la longitude vont ensemble.")
        if self.quartier is None and self.lat is None:
            raise ValueError("Indiquez un quartier, ou une latitude et une longitude.")
        return self

    @property
    def lieu(self) -> Lieu:
        """The given coordinates, or else the centre of the quartier."""
        if self.lat is not None and self.lon is not None:
            return Lieu(quartier=self.quartier, lat=self.lat, lon=self.lon)
        centre = references.quartiers()[self.quartier or ""]
        return Lieu(quartier=self.quartier, lat=centre.lat, lon=centre.lon)

    def champs(self) -> dict[str, Any]:
        """The fields of Profil that a person chooses, without duplicate codes."""
        return {
            "sens": self.sens,
            "natures": list(dict.fromkeys(self.natures)),
            "domaines": list(dict.fromkeys(self.domaines)),
            "categories": list(dict.fromkeys(self.categories)),
            "creneaux": list(dict.fromkeys(self.creneaux)),
            "certifications": list(dict.fromkeys(self.certifications)),
            "lieu": self.lieu,
            "rayon_km": self.rayon_km,
            "a_distance": self.a_distance,
            "mineur": self.mineur,
            "pmr": self.pmr,
        }


class SouhaitsImportes(Souhaits):
    """A profil of the bulk import; without a `profil_id` it gets a random one."""

    profil_id: Identifiant | None = None
    compte_id: Identifiant


class AnnonceEnLigne(BaseModel):
    """What the rule of concern reads of an annonce, as the public view of annonces gives it; the rest is left out."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    annonce_id: Identifiant
    sens: Sens
    nature: Nature
    domaines: list[Code] = []
    categories: list[Code] = []
    date_debut: dt.date | None = None
    date_fin: dt.date | None = None
    creneaux: list[Code] = []
    lieu: Lieu
    a_distance: bool = False
    certifications: list[Code] = []
    accessible_pmr: bool = False
    ouvert_aux_mineurs: bool = False
    urgent: bool = False

    def annonce(self) -> Annonce:
        """As the rule takes it; its author is nobody, since the public does not learn which account that is."""
        return Annonce(
            **dict(self),
            version=1,
            etat=EtatAnnonce.PUBLIEE,
            titre="",
            description="",
            places=1,
            places_restantes=1,
            auteur=Auteur(type=TypeAuteur.PARTICULIER, compte_id=PERSONNE),
            deposee_at=EPOQUE,
            expire_at=EPOQUE,
        )


def _known(codes: list[str], liste: Any) -> list[str]:
    unknown = [code for code in codes if code not in liste]
    if unknown:
        raise ValueError(f"Code inconnu\u00a0: «\u00a0{unknown[0]}\u00a0».")
    return codes
