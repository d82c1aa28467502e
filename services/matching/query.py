"""Applies the rule of scoring.correspond to columns of profils: one annonce against many profils at once."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter

from contracts import references
from contracts.annonces import Annonce
from contracts.commun import Sens
from contracts.matching import Destinataire, Raison
from services.matching import grid, moments, scoring
from services.matching.vocabulary import Vocabulary

Ints = npt.NDArray[np.int64]
Slots = npt.NDArray[np.uint32]
# Bits of the column `exigences`: what a profil asks of every annonce.
EXIGE_MINEURS, EXIGE_PMR = 1, 2
_DESTINATAIRES = TypeAdapter(list[Destinataire])


class Vocabularies:
    """The bits of the codes of each list; the numbers of bits are those of the columns."""

    def __init__(self) -> None:
        self.categories = Vocabulary("categories", references.categories(), 64)
        self.creneaux = Vocabulary("creneaux", references.valeurs("creneaux"), 32)
        self.domaines = Vocabulary("domaines", references.valeurs("domaines"), 32)
        self.certifications = Vocabulary("certifications", references.valeurs("certifications"), 32)


@dataclass(frozen=True)
class Found:
    """The matching profils, unordered: distances in metres (None for remote), shared codes as bit masks."""

    slots: Slots
    distances: Ints | None
    scores: Ints
    creneaux: npt.NDArray[np.uint32]
    categories: npt.NDArray[np.uint64]
    domaines: npt.NDArray[np.uint32]
    nature_choisie: npt.NDArray[np.bool_]


class Query:
    """`sens` and `nature` are the values stored in the columns."""

    def __init__(self, annonce: Annonce, vocabularies: Vocabularies, sens: int, nature: int) -> None:
        self.annonce = annonce
        self._sens, self._nature = np.uint8(sens), np.uint8(nature)
        self._categories = vocabularies.categories.bits(annonce.categories)
        self._moments = moments.creneaux(annonce)
        self._creneaux = vocabularies.creneaux.bits(self._moments)
        self._domaines = vocabularies.domaines.bits(annonce.domaines)
        self._certifications = vocabularies.certifications.bits(annonce.certifications)
        self._refuse = np.uint8(
            EXIGE_MINEURS * (not annonce.ouvert_aux_mineurs) | EXIGE_PMR * (not scoring.accessible(annonce))
        )
        # A certification that is in no profil is held by nobody.
        self._impossible = annonce.sens is Sens.BESOIN and len(self._certifications) < len(set(annonce.certifications))
        wanted = self._categories.values() if annonce.categories else range(len(vocabularies.categories))
        self.prefixes = np.array([grid.prefix(sens, category) for category in (-1, *wanted)], dtype=np.uint64)
        self.ranges = grid.everywhere() if annonce.a_distance else grid.around(annonce.lieu.lat, annonce.lieu.lon)

    def select(self, rows: npt.NDArray[Any], slots: Slots) -> Found:
        """Those of `slots` (duplicates allowed) whose profil the annonce concerns, including those of its author."""
        annonce = self.annonce
        slots = np.unique(slots)
        at = rows[slots]
        kept = (
            (at["vivant"] == 1)
            & (at["sens"] == self._sens)
            & ((at["natures"] == 0) | (at["natures"] & self._nature != 0))
            & (at["exigences"] & self._refuse == 0)
        )
        if self._impossible:
            kept[:] = False
        if annonce.a_distance:
            kept &= at["a_distance"] == 1
            chord2 = None
        else:
            x, y, z = scoring.vecteur(annonce.lieu.lat, annonce.lieu.lon)
            dx, dy, dz = at["x"].astype(np.float64) - x, at["y"].astype(np.float64) - y, at["z"].astype(np.float64) - z
            chord2 = dx * dx + dy * dy + dz * dz
            kept &= chord2 <= at["seuil"].astype(np.float64)
            chord2 = chord2[kept]
        slots, at = slots[kept], at[kept]

        categories = at["categories"] & np.uint64(_mask(self._categories))
        creneaux = at["creneaux"] & np.uint32(_mask(self._creneaux))
        domaines = at["domaines"] & np.uint32(_mask(self._domaines))
        held, asked = at["certifications"], np.uint32(_mask(self._certifications))
        kept = (held & asked) == asked if annonce.sens is Sens.BESOIN else (held & ~asked) == 0
        for column, shared, codes in (
            ("categories", categories, annonce.categories),
            ("creneaux", creneaux, self._moments),
            ("domaines", domaines, annonce.domaines),
        ):
            if codes:
                kept &= (at[column] == 0) | (shared != 0)
        categories, creneaux, domaines = categories[kept], creneaux[kept], domaines[kept]
        nature_choisie = (at["natures"][kept] & self._nature) != 0
        distances = None if chord2 is None else _metres(chord2[kept])
        scores = (
            scoring.points_de_l_annonce(annonce)
            + _bonus(
                categories, scoring.POIDS_CATEGORIE, scoring.POIDS_CATEGORIE_DE_PLUS, scoring.CATEGORIES_DE_PLUS_MAX
            )
            + _bonus(creneaux, scoring.POIDS_CRENEAU, scoring.POIDS_CRENEAU_DE_PLUS, scoring.CRENEAUX_DE_PLUS_MAX)
            + scoring.POIDS_DOMAINE * (domaines != 0)
            + scoring.POIDS_NATURE * nature_choisie
            + (0 if distances is None else _proximite(distances))
        )
        return Found(slots[kept], distances, scores, creneaux, categories, domaines, nature_choisie)

    def destinataires(self, found: Found, profils: list[str], comptes: list[str]) -> list[Destinataire]:
        """The matches, best first, without the author. `profils` and `comptes` are the ids of `found.slots`."""
        auteur = self.annonce.auteur.compte_id
        distances = [None] * len(profils) if found.distances is None else found.distances.tolist()
        # Few combinations of shared codes and distances occur in a city, so each reason is built once.
        places: dict[int | None, Raison] = {}
        reasons: dict[tuple[int, int, int, bool], list[Raison]] = {}
        matches: list[dict[str, Any]] = []
        columns = zip(
            profils,
            comptes,
            distances,
            found.scores.tolist(),
            found.creneaux.tolist(),
            found.categories.tolist(),
            found.domaines.tolist(),
            found.nature_choisie.tolist(),
            strict=True,
        )
        for profil_id, compte_id, distance_m, score, creneaux, categories, domaines, nature_choisie in columns:
            if compte_id == auteur:
                continue
            if distance_m not in places:
                places[distance_m] = scoring.raison_du_lieu(distance_m)
            combination = (creneaux, categories, domaines, nature_choisie)
            if combination not in reasons:
                reasons[combination] = scoring.raisons(
                    self.annonce,
                    _codes(self._creneaux, creneaux),
                    _codes(self._categories, categories),
                    _codes(self._domaines, domaines),
                    nature_choisie,
                )
            matches.append(
                {
                    "profil_id": profil_id,
                    "compte_id": compte_id,
                    "distance_m": distance_m,
                    "score": score,
                    "raisons": [places[distance_m], *reasons[combination]],
                }
            )
        # Validated all at once: one by one, thousands of matches would take longer than the search.
        found_ones = _DESTINATAIRES.validate_python(matches)
        found_ones.sort(key=scoring.ordre)
        return found_ones


def _mask(bits: dict[str, int]) -> int:
    return sum(1 << number for number in bits.values())


def _codes(bits: dict[str, int], mask: int) -> list[str]:
    return [code for code, number in bits.items() if mask >> number & 1]


def _bonus(shared: npt.NDArray[Any], first: int, more: int, more_max: int) -> Ints:
    """scoring.bonus for a column of masks."""
    count = np.bitwise_count(shared).astype(np.int64)
    return np.where(count == 0, 0, first + more * np.minimum(count - 1, more_max))


def _metres(chord2: npt.NDArray[np.float64]) -> Ints:
    """scoring.metres for a column: same operations in the same order, so the results are identical."""
    chord = np.sqrt(chord2)
    metres = scoring.RAYON_TERRE_M * chord * (1.0 + chord2 * (1.0 / 24.0 + chord2 * (3.0 / 640.0)))
    return np.rint(metres).astype(np.int64)


def _proximite(distances: Ints) -> Ints:
    """scoring.proximite for a column."""
    limits = np.array([limit for limit, _ in scoring.PROXIMITE])
    points = np.array([points for _, points in scoring.PROXIMITE] + [0], dtype=np.int64)
    return points[np.searchsorted(limits, distances, side="left")]
