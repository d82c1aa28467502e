"""Generates associations and annonces. Pure: the same seed gives the same texts."""

import random
from collections.abc import Iterator
from typing import Any

from contracts import references

_FORMES = (
    "Les Amis",
    "L’Atelier",
    "La Maison",
    "Le Collectif",
    "Entraide",
    "Le Cercle",
    "L’Union",
    "La Ruche",
    "Le Relais",
)
_OBJETS = (
    "des Jardins", "du Partage", "des Aînés", "de la Lecture", "du Vélo", "des Cultures", "de la Scène", "du Quartier",
    "des Familles", "du Sport", "des Savoirs", "de la Solidarité", "du Numérique", "de la Musique", "du Patrimoine",
)  # fmt: skip
_BESOINS = {
    "benevolat": ("Bénévoles recherchés : {quoi}", "Coup de main : {quoi}", "Un peu de votre temps : {quoi}"),
    "competence": ("Vos compétences : {quoi}", "Qui s’y connaît ? {quoi}", "Accompagnement : {quoi}"),
    "materiel": ("Nous cherchons : {quoi}", "Don ou prêt : {quoi}", "Recherche : {quoi}"),
    "logistique": ("Pour une journée : {quoi}", "Prêt recherché : {quoi}", "Qui peut prêter ? {quoi}"),
}
_RAISONS = (
    "la fête de quartier", "notre collecte d’hiver", "la rentrée", "une sortie avec les enfants", "le repas des aînés",
    "un spectacle", "l’ouverture de notre local", "une journée portes ouvertes", "un atelier hebdomadaire",
)  # fmt: skip


def rna(numero: int) -> str:
    """A well-formed RNA number of the département du Nord. Registries number from 1, so high numbers belong to no real
    association."""
    return f"W59{(9_000_000 - numero) % 10**7:07d}"


def associations(nombre: int, graine: int) -> Iterator[dict[str, Any]]:
    """Bodies of POST /v1/associations."""
    tirage = random.Random(f"associations-{graine}")
    quartiers = list(references.quartiers().values())
    domaines = list(references.valeurs("domaines"))
    version = references.version_engagement()
    for numero in range(nombre):
        quartier = tirage.choice(quartiers)
        yield {
            "nom": f"{tirage.choice(_FORMES)} {tirage.choice(_OBJETS)} de {quartier.libelle} n° {numero + 1}",
            "rna": rna(graine * 100_000 + numero),
            "description": f"Association de {quartier.libelle} : entraide, rencontres et projets de ses membres.",
            "domaines": tirage.sample(domaines, tirage.choice((1, 1, 2))),
            "quartier": quartier.code,
            "engagement": {"version": version, "accepte": True},
        }


def annonce(tirage: random.Random, association_id: str) -> dict[str, Any]:
    """A body of POST /v1/annonces."""
    materiels = references.materiels()
    activites = references.valeurs("activites")
    nature = tirage.choice(("benevolat", "benevolat", "competence", "materiel", "materiel", "logistique"))
    if nature in ("benevolat", "competence"):
        choix = tirage.choice(list(activites.values()))
    else:
        choix = tirage.choice([valeur for valeur in materiels.values() if valeur.nature == nature])
    raison = tirage.choice(_RAISONS)
    corps: dict[str, Any] = {
        "auteur": {"type": "association", "association_id": association_id},
        "sens": "besoin" if tirage.random() < 0.9 else "offre",
        "nature": nature,
        "titre": tirage.choice(_BESOINS[nature]).format(quoi=choix.dans_une_phrase)[:120],
        "description": f"Pour {raison}, nous cherchons : {choix.dans_une_phrase}. Merci à qui pourra nous aider.",
        "domaines": [tirage.choice(list(references.valeurs("domaines")))],
        "categories": [choix.code],
        "creneaux": tirage.sample(list(references.valeurs("creneaux")), tirage.choice((0, 1, 2))),
        "quartier": tirage.choice(list(references.quartiers())),
        "urgent": tirage.random() < 0.1,
        "places": tirage.choice((1, 2, 3, 5, 10)),
    }
    if nature == "materiel":
        corps["cession"] = tirage.choice(("don", "pret"))
    return corps
