"""Types of the request fields: clean text, codes of the reference lists, places. Messages are in French. Pure."""

import unicodedata
from collections.abc import Callable
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictFloat,
    ValidationInfo,
    field_validator,
)

from contracts import references
from contracts.commun import Code, Lieu
from contracts.references import Liste
from services.annonces import organisation_numbers

# They turn the direction of what follows: a text could show something else than what the moderator read.
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

_NOMS: dict[Liste, str] = {
    "domaines": "un domaine connu",
    "publics": "un public connu",
    "creneaux": "un créneau connu",
    "certifications": "une certification connue",
    "quartiers": "un quartier connu",
}


class Requete(BaseModel):
    """A request body: what it does not know, it refuses."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def _propre(texte: object, permis: str) -> object:
    if not isinstance(texte, str):
        return texte
    texte = texte.replace("\r\n", "\n").strip()
    for caractere in texte:
        if caractere in permis:
            continue
        if unicodedata.category(caractere) in ("Cc", "Cs") or caractere in _BIDI:
            raise ValueError("Ce texte contient des caractères de contrôle\u00a0: retirez-les.")
    return unicodedata.normalize("NFC", texte)


def _une_ligne(texte: object) -> object:
    return _propre(texte, "")


def _plusieurs_lignes(texte: object) -> object:
    return _propre(texte, "\n\t")


def _codes(liste: Liste) -> Callable[[list[str]], list[str]]:
    def verifier(codes: list[str]) -> list[str]:
        for code in codes:
            if code not in references.valeurs(liste):
                raise ValueError(f"«\u00a0{code}\u00a0» n’est pas {_NOMS[liste]}.")
        return list(dict.fromkeys(codes))

    return verifier


def _quartier(code: str) -> str:
    return _codes("quartiers")([code])[0]


Ligne = Annotated[str, BeforeValidator(_une_ligne)]
"""Text on one line, trimmed, in NFC; give its lengths by Field."""
Texte = Annotated[str, BeforeValidator(_plusieurs_lignes)]
"""Text that may have several lines."""
Prenom = Annotated[Ligne, Field(min_length=1, max_length=40)]
Domaines = Annotated[list[Code], Field(max_length=10), AfterValidator(_codes("domaines"))]
Publics = Annotated[list[Code], Field(max_length=9), AfterValidator(_codes("publics"))]
Creneaux = Annotated[list[Code], Field(max_length=21), AfterValidator(_codes("creneaux"))]
Certifications = Annotated[list[Code], Field(max_length=5), AfterValidator(_codes("certifications"))]
CodeQuartier = Annotated[Code, AfterValidator(_quartier)]
Rna = Annotated[str, AfterValidator(organisation_numbers.rna)]
Siren = Annotated[str, AfterValidator(organisation_numbers.siren)]


def avec_la_latitude(lon: float | None, info: ValidationInfo) -> float | None:
    """Checks a longitude against the latitude before it: both or none. A wrong latitude is absent from `info`."""
    if "lat" in info.data and (info.data["lat"] is None) != (lon is None):
        raise ValueError("Donnez la latitude et la longitude ensemble.")
    return lon


class AvecLieu(Requete):
    """A place is a quartier, whose centre stands for it, or a point (WGS 84 degrees), or a point with its quartier."""

    # In this order: each is checked against those before it, so that the error names the field to fill in.
    lat: StrictFloat | None = Field(default=None, ge=-90, le=90)
    lon: StrictFloat | None = Field(default=None, ge=-180, le=180, validate_default=True)
    quartier: CodeQuartier | None = Field(default=None, validate_default=True)

    @field_validator("lon")
    @classmethod
    def _point_entier(cls, lon: float | None, info: ValidationInfo) -> float | None:
        return avec_la_latitude(lon, info)

    @field_validator("quartier")
    @classmethod
    def _quelque_part(cls, quartier: str | None, info: ValidationInfo) -> str | None:
        if quartier is None and info.data.get("lat", 0.0) is None:
            raise ValueError("Indiquez un quartier, ou une latitude et une longitude.")
        return quartier

    def lieu(self) -> Lieu:
        if self.lat is not None and self.lon is not None:
            return Lieu(quartier=self.quartier, lat=self.lat, lon=self.lon)
        centre = references.quartiers()[str(self.quartier)]
        return Lieu(quartier=self.quartier, lat=centre.lat, lon=centre.lon)
