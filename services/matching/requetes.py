"""Requests of the API: wishes with codes of the reference lists, and a place given by quartier or coordinates."""

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, field_validator, model_validator

from contracts import references
from contracts.commun import Code, Identifiant, Lieu, Nature, Sens


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


def _known(codes: list[str], liste: Any) -> list[str]:
    unknown = [code for code in codes if code not in liste]
    if unknown:
        raise ValueError(f"Code inconnu\u00a0: «\u00a0{unknown[0]}\u00a0».")
    return codes
