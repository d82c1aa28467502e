"""What people see: never an account id of others."""

import datetime as dt
from typing import Any

from pydantic import BaseModel

from contracts.annonces import Annonce, Association, Engagement, EtatAnnonce, EtatAssociation, EtatReponse, Reponse
from contracts.commun import Cession, Code, Identifiant, Lieu, Nature, Sens, TypeAuteur
from contracts.moderation import Motif
from services.annonces.contenu import Texte

VISIBLES = frozenset({EtatAnnonce.PUBLIEE, EtatAnnonce.POURVUE, EtatAnnonce.EXPIREE})
"""The states in which everybody can open an annonce that was published."""


class VueAuteur(BaseModel):
    type: TypeAuteur
    association_id: Identifiant | None
    nom: str | None


class VueAnnonce(BaseModel):
    """The public view. `distance_m`: from the point of a search, in metres."""

    annonce_id: Identifiant
    version: int
    etat: EtatAnnonce
    sens: Sens
    nature: Nature
    titre: str
    description: str
    domaines: list[Code]
    categories: list[Code]
    publics: list[Code]
    cession: Cession | None
    date_debut: dt.date | None
    date_fin: dt.date | None
    creneaux: list[Code]
    lieu: Lieu
    a_distance: bool
    certifications: list[Code]
    accessible_pmr: bool
    ouvert_aux_mineurs: bool
    urgent: bool
    places: int
    places_restantes: int
    auteur: VueAuteur
    deposee_at: dt.datetime
    publiee_at: dt.datetime | None
    expire_at: dt.datetime
    distance_m: int | None = None


class VueProposition(Texte):
    """A new text that is not online: it waits (`deposee`), or was sent back with its reasons."""

    etat: EtatAnnonce
    motifs: list[Motif]
    deposee_at: dt.datetime


class VueAnnonceAuteur(VueAnnonce):
    """What its author sees as well: the reasons of the last decision, how many people were alerted, how many wait.

    `proposition`: the new text of an annonce that is online with the approved one.
    `gerable`: who looks answers for it (a moderator sees as much, and does not).
    """

    motifs: list[Motif]
    alertes: int
    en_attente: int
    proposition: VueProposition | None
    gerable: bool


class VueAssociation(BaseModel):
    association_id: Identifiant
    version: int
    etat: EtatAssociation
    nom: str
    rna: str | None
    siren: str | None
    description: str
    domaines: list[Code]
    lieu: Lieu


class VueAssociationMembre(VueAssociation):
    engagement: Engagement
    motifs: list[Motif]
    inscrite_at: dt.datetime
    gerable: bool


class VueReponse(BaseModel):
    """The same for both sides, but for `prenom`: what the one who answered is called, for those who posted the annonce;
    None where it is not known or not theirs to know.

    `rang`: the position in the waiting list now, from 1. `place` of `places`: how many places were taken once these
    were reserved. `quantite_demandee`: what was asked for, where fewer could be reserved.
    """

    reponse_id: Identifiant
    version: int
    etat: EtatReponse
    annonce_id: Identifiant
    annonce_titre: str
    quantite: int
    quantite_demandee: int | None
    place: int | None
    places: int | None
    rang: int | None
    message: str
    prenom: str | None
    mot: str
    a_confirmer: bool | None
    deposee_at: dt.datetime


class Page(BaseModel):
    total: int
    page: int
    taille: int


class Facettes(BaseModel):
    """Code → number of annonces of the whole result."""

    sens: dict[str, int]
    nature: dict[str, int]
    categorie: dict[str, int]
    domaine: dict[str, int]
    quartier: dict[str, int]


class PageAnnonces(Page):
    annonces: list[VueAnnonce]
    facettes: Facettes


class PageMesAnnonces(Page):
    annonces: list[VueAnnonceAuteur]


class PageMesAssociations(Page):
    associations: list[VueAssociationMembre]


class PageReponses(Page):
    reponses: list[VueReponse]


def annonce_publique(annonce: Annonce, distance_m: int | None = None) -> VueAnnonce:
    champs = dict(annonce)
    champs["auteur"] = VueAuteur(**annonce.auteur.model_dump(exclude={"compte_id"}))
    return VueAnnonce(**champs, distance_m=distance_m)


def annonce_auteur(annonce: Annonce, document: dict[str, Any], *, gerable: bool = True) -> VueAnnonceAuteur:
    champs = dict(annonce)
    champs["auteur"] = VueAuteur(**annonce.auteur.model_dump(exclude={"compte_id"}))
    return VueAnnonceAuteur(
        **champs,
        motifs=document.get("motifs", []),
        alertes=document.get("alertes", 0),
        en_attente=document.get("en_attente", 0),
        proposition=_proposition(document),
        gerable=gerable,
    )


def _proposition(document: dict[str, Any]) -> VueProposition | None:
    if not (stockee := document.get("proposition")):
        return None
    autres = {nom: stockee[nom] for nom in ("etat", "motifs", "deposee_at")}
    return VueProposition.model_validate({**stockee["texte"], **autres})


def association_publique(association: Association) -> VueAssociation:
    return VueAssociation(**association.model_dump(include=set(VueAssociation.model_fields)))


def association_membre(
    association: Association, document: dict[str, Any], *, gerable: bool = True
) -> VueAssociationMembre:
    champs = association.model_dump(include=set(VueAssociationMembre.model_fields) - {"motifs"})
    return VueAssociationMembre(**champs, motifs=document.get("motifs", []), gerable=gerable)


def reponse(reponse: Reponse, message: str, **autres: Any) -> VueReponse:
    """`autres`: mot, prenom and a_confirmer, where they are known."""
    connus = {"mot": "", "prenom": None, "a_confirmer": None, **autres}
    return VueReponse(**reponse.model_dump(include=set(VueReponse.model_fields)), message=message, **connus)
