"""The people of the demo and what they write."""

import datetime as dt
from typing import Any

from contracts import references
from deploy.demo.conversation import A_APPORTER, LIEU_PRIVE

FAUX_RNA = "W59X"


def prochain_samedi(aujourd_hui: dt.date) -> dt.date:
    """A Saturday at least five days ahead."""
    return next(jour for n in range(5, 12) if (jour := aujourd_hui + dt.timedelta(days=n)).weekday() == 5)


def association(rna: str) -> dict[str, Any]:
    return {
        "nom": "Un costume pour l’emploi",
        "rna": rna,
        "description": "Nous prêtons des tenues d’entretien et accompagnons les personnes en recherche d’emploi.",
        "domaines": ["solidarite-et-insertion"],
        "quartier": "lille-moulins",
        "engagement": {"version": references.version_engagement(), "accepte": True},
    }


def benevoles() -> dict[str, dict[str, Any]]:
    """Name → profil: two citizens, a company, another association that also wants to help."""
    voiture_et_costumes = ["vehicule-transport", "vetements-costumes"]
    return {
        "camille": _profil("lille-moulins", 5, ["vehicule-transport"], ["samedi-matin", "samedi-apres-midi"]),
        "noor": _profil("wazemmes", 8, voiture_et_costumes, []),
        "transports-durand": _profil("fives", 20, voiture_et_costumes, ["samedi-matin"]),
        "ressourcerie": _profil("lille-sud", 10, ["vetements-costumes", "mobilier"], []),
    }


def voisin(identifiant: str) -> dict[str, Any]:
    """Body of the matching import for a person near the association who gives suits."""
    centre = references.quartiers()["lille-moulins"]
    return {
        "profil_id": identifiant,
        "compte_id": identifiant,
        "sens": "besoin",
        "natures": [],
        "domaines": [],
        "categories": ["vetements-costumes"],
        "creneaux": [],
        "certifications": [],
        "lat": centre.lat,
        "lon": centre.lon,
        "rayon_km": 3,
        "a_distance": False,
    }


def _profil(quartier: str, rayon_km: float, categories: list[str], creneaux: list[str]) -> dict[str, Any]:
    return {
        "sens": "besoin",
        "natures": ["logistique", "materiel"],
        "categories": categories,
        "creneaux": creneaux,
        "quartier": quartier,
        "rayon_km": rayon_km,
    }


def camionnette(association_id: str, samedi: dt.date) -> dict[str, Any]:
    return {
        "auteur": {"type": "association", "association_id": association_id},
        "sens": "besoin",
        "nature": "logistique",
        "titre": "Une camionnette un samedi matin",
        "description": "Pour déménager nos portants et nos cabines d’essayage, il nous faut une camionnette, "
        "avec ou sans conducteur, un samedi matin, deux heures en tout.",
        "domaines": ["solidarite-et-insertion"],
        "categories": ["vehicule-transport"],
        "date_debut": samedi.isoformat(),
        "date_fin": samedi.isoformat(),
        "creneaux": ["samedi-matin"],
        "quartier": "lille-moulins",
        "urgent": True,
        "places": 1,
        "lieu_prive": LIEU_PRIVE,
        "a_apporter": A_APPORTER,
    }


def costumes(association_id: str, description: str) -> dict[str, Any]:
    return {
        "auteur": {"type": "association", "association_id": association_id},
        "sens": "besoin",
        "nature": "materiel",
        "titre": "Des costumes et des tailleurs pour des entretiens d’embauche",
        "description": description,
        "domaines": ["solidarite-et-insertion"],
        "categories": ["vetements-costumes"],
        "cession": "don",
        "quartier": "lille-moulins",
        "places": 30,
    }


TEXTE_TROP_BAVARD = (
    "Nous cherchons trente costumes et tailleurs en bon état, à donner. "
    "Appelez Marie au 06 12 34 56 78 pour les apporter, elle vous dira quand venir."
)
TEXTE_CORRIGE = (
    "Nous cherchons trente costumes et tailleurs en bon état, toutes tailles, à donner. "
    "Ils habilleront des personnes qui vont à un entretien d’embauche."
)
