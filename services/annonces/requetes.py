"""The bodies of requests, and what is made of them. Pure: the present comes in."""

import datetime as dt
from typing import Annotated

from pydantic import AfterValidator, Field, StrictBool, StrictInt, ValidationInfo, field_validator

from contracts import references
from contracts.commun import Cession, Code, Identifiant, Nature, Sens, TypeAuteur
from kit.moments import Day, Moment
from services.annonces import dates
from services.annonces.associations import Presentation
from services.annonces.contenu import Contenu
from services.annonces.dates import ChampInvalide, Dates
from services.annonces.saisie import (
    AvecLieu,
    Certifications,
    Creneaux,
    Domaines,
    Ligne,
    Prenom,
    Publics,
    Requete,
    Rna,
    Siren,
    Texte,
)

QUANTITE_MAXIMALE = 10_000
"""Places of an annonce, and what one answer may ask for."""


class EngagementSaisi(Requete):
    """`version`: the version of the contrat d'engagement républicain that was read."""

    version: Ligne
    accepte: StrictBool


class AssociationModifiee(AvecLieu):
    nom: Ligne = Field(min_length=2, max_length=150)
    siren: Siren | None = None
    rna: Rna | None = Field(default=None, validate_default=True)
    description: Texte = Field(min_length=20, max_length=5000)
    domaines: Domaines = []

    @field_validator("rna")
    @classmethod
    def _identifiee(cls, rna: str | None, info: ValidationInfo) -> str | None:
        if rna is None and info.data.get("siren", "") is None:
            raise ValueError("Donnez le numéro RNA de l’association, ou son numéro SIREN.")
        return rna

    def presentation(self) -> Presentation:
        return Presentation(
            nom=self.nom,
            rna=self.rna,
            siren=self.siren,
            description=self.description,
            domaines=self.domaines,
            lieu=self.lieu(),
        )


class AssociationDeposee(AssociationModifiee):
    engagement: EngagementSaisi

    def version_engagement(self) -> str:
        """The version signed. Raises ChampInvalide when it was not accepted, or is not the present one."""
        if not self.engagement.accepte:
            raise ChampInvalide("engagement", "Il faut accepter le contrat d’engagement républicain pour s’inscrire.")
        if self.engagement.version != references.version_engagement():
            raise ChampInvalide(
                "engagement", "Le contrat d’engagement républicain a changé\u00a0: relisez-le et acceptez-le."
            )
        return self.engagement.version


class AuteurSaisi(Requete):
    """In whose name: an association by its id, a company or institution by its name, or oneself."""

    type: TypeAuteur
    association_id: Identifiant | None = Field(default=None, validate_default=True)
    nom: Annotated[Ligne, Field(min_length=2, max_length=150)] | None = Field(default=None, validate_default=True)
    siren: Siren | None = None

    @field_validator("association_id")
    @classmethod
    def _son_association(cls, association_id: str | None, info: ValidationInfo) -> str | None:
        en_son_nom = info.data.get("type") is TypeAuteur.ASSOCIATION
        if en_son_nom and association_id is None:
            raise ValueError("Indiquez l’association au nom de laquelle vous écrivez.")
        if not en_son_nom and association_id is not None:
            raise ValueError("Une association n’est indiquée que lorsqu’on écrit en son nom.")
        return association_id

    @field_validator("nom", "siren")
    @classmethod
    def _son_organisme(cls, valeur: str | None, info: ValidationInfo) -> str | None:
        organisme = info.data.get("type") is TypeAuteur.PERSONNE_MORALE
        if organisme and valeur is None and info.field_name == "nom":
            raise ValueError("Indiquez le nom de votre entreprise ou de votre organisme.")
        if not organisme and valeur is not None:
            raise ValueError("Le nom et le SIREN ne sont demandés qu’aux entreprises et organismes.")
        return valeur


PourLesAcceptes = Annotated[Annotated[Texte, Field(max_length=500)] | None, AfterValidator(lambda texte: texte or None)]
"""Text that only accepted people read; an empty one is none."""


def _categories_connues(nature: Nature) -> tuple[set[str], str]:
    if nature in (Nature.BENEVOLAT, Nature.COMPETENCE):
        return set(references.valeurs("activites")), "une activité"
    choix = {code for code, materiel in references.materiels().items() if materiel.nature == nature}
    return choix, "un matériel" if nature is Nature.MATERIEL else "un moyen logistique"


class AnnonceModifiee(AvecLieu):
    """`lieu_prive` and `a_apporter` are shown to accepted people only, and are part of no event."""

    sens: Sens
    nature: Nature
    titre: Ligne = Field(min_length=5, max_length=120)
    description: Texte = Field(min_length=20, max_length=5000)
    domaines: Domaines = []
    categories: list[Code] = Field(min_length=1, max_length=20)
    publics: Publics = []
    cession: Cession | None = None
    date_debut: Day | None = None
    date_fin: Day | None = None
    creneaux: Creneaux = []
    a_distance: StrictBool = False
    certifications: Certifications = []
    accessible_pmr: StrictBool = False
    ouvert_aux_mineurs: StrictBool = False
    urgent: StrictBool = False
    places: StrictInt = Field(ge=1, le=QUANTITE_MAXIMALE)
    expire_at: Moment | None = None
    lieu_prive: PourLesAcceptes = None
    a_apporter: PourLesAcceptes = None

    def contenu(self, now: dt.datetime, *, debut_connu: dt.date | None = None) -> Contenu:
        """What the author writes, with its last day. Raises ChampInvalide.

        `debut_connu`: the first day of the annonce that this corrects.
        """
        connues, quoi = _categories_connues(self.nature)
        for code in self.categories:
            if code not in connues:
                raise ChampInvalide("categories", f"«\u00a0{code}\u00a0» n’est pas {quoi} pour cette nature d’annonce.")
        if self.nature is Nature.MATERIEL and self.cession is None:
            raise ChampInvalide("cession", "Précisez s’il s’agit d’un don ou d’un prêt.")
        if self.nature in (Nature.BENEVOLAT, Nature.COMPETENCE) and self.cession is not None:
            raise ChampInvalide("cession", "Le don ou le prêt ne concerne que le matériel et la logistique.")
        jours = Dates(self.date_debut, self.date_fin, self.creneaux)
        dates.verifier(jours, now, debut_connu=debut_connu)
        return Contenu(
            sens=self.sens,
            nature=self.nature,
            titre=self.titre,
            description=self.description,
            domaines=self.domaines,
            categories=list(dict.fromkeys(self.categories)),
            publics=self.publics,
            cession=self.cession,
            date_debut=self.date_debut,
            date_fin=self.date_fin,
            creneaux=self.creneaux,
            lieu=self.lieu(),
            a_distance=self.a_distance,
            certifications=self.certifications,
            accessible_pmr=self.accessible_pmr,
            ouvert_aux_mineurs=self.ouvert_aux_mineurs,
            urgent=self.urgent,
            places=self.places,
            expire_at=dates.fin_de_parution(jours, self.expire_at, now),
        )


class AnnonceDeposee(AnnonceModifiee):
    auteur: AuteurSaisi


class ReponseSaisie(Requete):
    """`liste_attente`: rather wait than be refused where too few places are left. `prenom`: what those who posted the
    annonce see of the person; it is kept for all of their answers. Absent: it stays as it is."""

    prenom: Prenom | None = None
    message: Texte = Field(default="", max_length=2000)
    quantite: StrictInt = Field(default=1, ge=1, le=QUANTITE_MAXIMALE)
    liste_attente: StrictBool = False


class MotSaisi(Requete):
    """A word of the author to somebody whose answer is declined or freed."""

    mot: Texte = Field(default="", max_length=1000)


class PlacesSaisies(Requete):
    places: StrictInt = Field(ge=1, le=QUANTITE_MAXIMALE)
