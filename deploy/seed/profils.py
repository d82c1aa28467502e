"""Generates people who want alerts. Pure: the same seed gives the same people."""

import random
from collections.abc import Iterator
from typing import Any

from contracts import references
from contracts.commun import JOURS

RAYONS_KM = (1, 2, 3, 5, 5, 8, 10, 15, 25)
# Weekly slots of three kinds of people: working, retired, students.
_VIES = (
    ("samedi", "dimanche"),
    JOURS[:5],
    ("mercredi", "samedi"),
    (),
)


def profils(nombre: int, graine: int, prefixe: str) -> Iterator[dict[str, Any]]:
    """Bodies of the matching import: `profil_id`, `compte_id` (also the name in the mail address) and wishes. 95 % want
    to help."""
    tirage = random.Random(graine)
    quartiers = list(references.quartiers().values())
    categories = list(references.categories())
    domaines = list(references.valeurs("domaines"))
    creneaux = list(references.valeurs("creneaux"))
    certifications = list(references.valeurs("certifications"))
    for numero in range(nombre):
        quartier = tirage.choice(quartiers)
        jours = tirage.choice(_VIES)
        identifiant = f"{prefixe}-{numero:07d}"
        yield {
            "profil_id": identifiant,
            "compte_id": identifiant,
            "sens": "offre" if tirage.random() < 0.05 else "besoin",
            "natures": [],
            "domaines": tirage.sample(domaines, tirage.choice((0, 0, 1, 2))),
            "categories": tirage.sample(categories, tirage.choice((1, 2, 3, 4, 6))),
            "creneaux": [code for code in creneaux if code.split("-")[0] in jours and tirage.random() < 0.7],
            "certifications": tirage.sample(certifications, tirage.choice((0, 0, 0, 1))),
            # About 600 m around the centre of the quartier.
            "lat": round(quartier.lat + tirage.gauss(0, 0.005), 6),
            "lon": round(quartier.lon + tirage.gauss(0, 0.008), 6),
            "rayon_km": tirage.choice(RAYONS_KM),
            "a_distance": tirage.random() < 0.6,
        }


def contact(compte_id: str, at: str) -> dict[str, Any]:
    """Body of the contact import for a generated account. Its domain can never receive mail (RFC 2606)."""
    consentement = {"canal": "email", "accorde": True, "preuve": "données générées", "at": at}
    return {"compte_id": compte_id, "email": adresse(compte_id), "consentements": [consentement], "version": 1}


def adresse(compte_id: str) -> str:
    return f"{compte_id}@profils.example.org"
