"""The matching rule: does this annonce concern this profil, how much, and why. Pure. The index gives exactly the same
results.

Positions are unit vectors rounded to float32 (0.2 m on the ground). They are compared by squared chord, in float64,
with additions, multiplications and square roots only: numpy on columns then gives the same bits as Python on one pair,
on every IEEE 754 machine.
"""

import math
import struct
from collections.abc import Iterable

from contracts.annonces import Annonce
from contracts.commun import Nature, Sens
from contracts.matching import CodeRaison, Destinataire, Profil, Raison
from services.matching import moments

RAYON_TERRE_M = 6_371_008.8

# Weights of the score: what a person chose counts more than nearness, and nearness more than the domaine.
POIDS_CATEGORIE = 30
POIDS_CATEGORIE_DE_PLUS = 5
CATEGORIES_DE_PLUS_MAX = 2
POIDS_CRENEAU = 10
POIDS_CRENEAU_DE_PLUS = 2
CRENEAUX_DE_PLUS_MAX = 3
POIDS_DOMAINE = 10
POIDS_NATURE = 5
POIDS_CERTIFICATION = 5
POIDS_URGENT = 10
# (maximum distance in metres, points); the first entry that fits counts.
PROXIMITE: tuple[tuple[int, int], ...] = ((1_000, 20), (2_000, 16), (5_000, 12), (10_000, 8), (20_000, 4))

# An alert that lists fifteen slots explains nothing, so each list is cut.
RAISONS_PAR_LISTE = 3


def float32(value: float) -> float:
    """`value` rounded to float32."""
    return float(struct.unpack("f", struct.pack("f", value))[0])


def vecteur(lat: float, lon: float) -> tuple[float, float, float]:
    """The unit vector of a WGS 84 position (on a sphere), rounded to float32."""
    phi, lam = math.radians(lat), math.radians(lon)
    x, y, z = struct.unpack(
        "3f", struct.pack("3f", math.cos(phi) * math.cos(lam), math.cos(phi) * math.sin(lam), math.sin(phi))
    )
    return x, y, z


def seuil(rayon_km: float) -> float:
    """The squared chord on the unit sphere that corresponds to `rayon_km`, rounded to float32."""
    return float32((2 * math.sin(rayon_km * 1000 / RAYON_TERRE_M / 2)) ** 2)


def corde2(a: tuple[float, float, float], b: tuple[float, float, float]) -> float:
    """The squared chord between two unit vectors."""
    dx, dy, dz = a[0] - b[0], a[1] - b[1], a[2] - b[2]
    return dx * dx + dy * dy + dz * dz


def metres(chord2: float) -> int:
    """The distance on the ground in metres for a squared chord. Uses the series of arcsin, whose error is below 1 mm up
    to 500 km."""
    chord = math.sqrt(chord2)
    return round(RAYON_TERRE_M * chord * (1.0 + chord2 * (1.0 / 24.0 + chord2 * (3.0 / 640.0))))


def proximite(distance_m: int) -> int:
    """Points for the distance in metres."""
    return next((points for limite, points in PROXIMITE if distance_m <= limite), 0)


def bonus(communs: int, premier: int, de_plus: int, de_plus_max: int) -> int:
    """Points for `communs` shared codes: `premier` for the first, `de_plus` for each further one, at most `de_plus_max`
    of these."""
    return premier + de_plus * min(communs - 1, de_plus_max) if communs else 0


def certifications_suffisent(annonce: Annonce, profil: Profil) -> bool:
    """For a besoin, the profil must hold all certifications of the annonce; for an offre, the annonce must hold all
    those of the profil."""
    demandees, detenues = set(annonce.certifications), set(profil.certifications)
    if annonce.sens is Sens.OFFRE:
        demandees, detenues = detenues, demandees
    return demandees <= detenues


def admis(annonce: Annonce, profil: Profil) -> bool:
    """True when a person under 18, or with reduced mobility, can take part. Remote annonces are accessible."""
    mineur_admis = annonce.ouvert_aux_mineurs or not profil.mineur
    return mineur_admis and (accessible(annonce) or not profil.pmr)


def accessible(annonce: Annonce) -> bool:
    return annonce.accessible_pmr or annonce.a_distance


def _intersectent(voulu: Iterable[str], propose: Iterable[str]) -> bool:
    """True when the lists share a code. An empty list on either side matches everything."""
    a, b = set(voulu), set(propose)
    return not a or not b or not a.isdisjoint(b)


def concerne(annonce: Annonce, profil: Profil) -> bool:
    """The whole rule except the place."""
    return (
        not annonce.sans_alerte
        and profil.actif
        and profil.sens is annonce.sens
        and profil.compte_id != annonce.auteur.compte_id
        and (not profil.natures or annonce.nature in profil.natures)
        and _intersectent(profil.domaines, annonce.domaines)
        and _intersectent(profil.categories, annonce.categories)
        and _intersectent(profil.creneaux, moments.creneaux(annonce))
        and certifications_suffisent(annonce, profil)
        and admis(annonce, profil)
    )


def distance(annonce: Annonce, profil: Profil) -> int | None:
    """Distance in metres if the annonce is within the radius of the profil, else None."""
    chord2 = corde2(
        vecteur(annonce.lieu.lat, annonce.lieu.lon),
        vecteur(profil.lieu.lat, profil.lieu.lon),
    )
    return metres(chord2) if chord2 <= seuil(profil.rayon_km) else None


def communs(annonce_codes: Iterable[str], profil_codes: Iterable[str]) -> list[str]:
    """The shared codes without duplicates, in the order of the annonce."""
    wanted = set(profil_codes)
    return [code for code in dict.fromkeys(annonce_codes) if code in wanted]


def raisons(
    annonce: Annonce,
    creneaux: list[str],
    categories: list[str],
    domaines: list[str],
    nature_choisie: bool,
) -> list[Raison]:
    """The reasons other than the place, most useful first. `creneaux`, `categories` and `domaines` are the shared
    codes.

    The nature is mentioned only when no category or domaine says it more precisely. Slots are mentioned only if the
    annonce names some: a date alone does not say "samedi matin".
    """
    nommes = creneaux[:RAISONS_PAR_LISTE] if annonce.creneaux else []
    found = [Raison(code=CodeRaison.CRENEAU, valeur=code) for code in nommes]
    found += [Raison(code=CodeRaison.CATEGORIE, valeur=code) for code in categories[:RAISONS_PAR_LISTE]]
    found += [Raison(code=CodeRaison.DOMAINE, valeur=code) for code in domaines[:RAISONS_PAR_LISTE]]
    if nature_choisie and not categories and not domaines:
        found.append(Raison(code=CodeRaison.NATURE, valeur=annonce.nature.value))
    if annonce.sens is Sens.BESOIN:
        found += [Raison(code=CodeRaison.CERTIFICATION, valeur=code) for code in dict.fromkeys(annonce.certifications)]
    if annonce.urgent:
        found.append(Raison(code=CodeRaison.URGENT))
    return found


def raison_du_lieu(distance_m: int | None) -> Raison:
    """The first reason of every match: the distance, or that it can be done remotely."""
    if distance_m is None:
        return Raison(code=CodeRaison.A_DISTANCE)
    return Raison(code=CodeRaison.DISTANCE, valeur=str(distance_m))


def points_de_l_annonce(annonce: Annonce) -> int:
    """Points that every match of this annonce gets."""
    certifies = annonce.sens is Sens.BESOIN and bool(annonce.certifications)
    return POIDS_CERTIFICATION * certifies + POIDS_URGENT * annonce.urgent


def correspond(annonce: Annonce, profil: Profil) -> Destinataire | None:
    """The match of an annonce with a profil, or None.

    `distance_m` is None for a remote annonce, which matches profils that accept remote work wherever they are.
    """
    if not concerne(annonce, profil):
        return None
    distance_m = None
    if annonce.a_distance:
        if not profil.a_distance:
            return None
    else:
        distance_m = distance(annonce, profil)
        if distance_m is None:
            return None
    creneaux = communs(moments.creneaux(annonce), profil.creneaux)
    categories = communs(annonce.categories, profil.categories)
    domaines = communs(annonce.domaines, profil.domaines)
    nature_choisie = Nature(annonce.nature) in profil.natures
    score = (
        points_de_l_annonce(annonce)
        + bonus(len(categories), POIDS_CATEGORIE, POIDS_CATEGORIE_DE_PLUS, CATEGORIES_DE_PLUS_MAX)
        + bonus(len(creneaux), POIDS_CRENEAU, POIDS_CRENEAU_DE_PLUS, CRENEAUX_DE_PLUS_MAX)
        + POIDS_DOMAINE * bool(domaines)
        + POIDS_NATURE * nature_choisie
        + (0 if distance_m is None else proximite(distance_m))
    )
    return Destinataire(
        profil_id=profil.profil_id,
        compte_id=profil.compte_id,
        distance_m=distance_m,
        score=score,
        raisons=[raison_du_lieu(distance_m), *raisons(annonce, creneaux, categories, domaines, nature_choisie)],
    )


def ordre(destinataire: Destinataire) -> tuple[int, int, str]:
    """Sort key, best match first: score, distance, then id, so that every worker gives the same order."""
    return -destinataire.score, destinataire.distance_m or 0, destinataire.profil_id
