"""The grid of the index. Each posting has one sortable integer key, made of the class of radius and the square cell of
the profil.

Classes of radius are 2, 4 … 64 km; a profil is in the smallest class that contains its radius r, in cells of r/2 km.
For each class, an annonce reads the five or six rows of cells around it, each a contiguous range of keys. A range may
contain too many profils but never too few: the exact distance is checked afterwards.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.matching.scoring import RAYON_TERRE_M, seuil

UInt64s = npt.NDArray[np.uint64]

CLASSES_KM = (2, 4, 8, 16, 32, 64)
_SEUILS = np.array([seuil(rayon) for rayon in CLASSES_KM], dtype=np.float64)
_KM_PAR_DEGRE = RAYON_TERRE_M / 1000 * math.pi / 180
# Much larger than the rounding error of positions in float32 (0.4 m).
_MARGE_KM = 0.02

# Key: sens (1 bit) | category + 1, 0 for "any" (7) | class (3) | row (16) | column (17).
_COL_BITS, _ROW_BITS, _CLASS_BITS = 17, 16, 3
_CELL_BITS = _COL_BITS + _ROW_BITS + _CLASS_BITS
_CATEGORY_BITS = 7
_COL_MAX = (1 << _COL_BITS) - 1


@dataclass(frozen=True)
class Ranges:
    """Inclusive ranges of cell keys."""

    low: UInt64s
    high: UInt64s


def prefix(sens: int, category: int) -> int:
    """The high part of a key. `category` is a bit number of the vocabulary, or -1 for a profil that accepts any."""
    return ((sens << _CATEGORY_BITS) | (category + 1)) << _CELL_BITS


def cells(
    x: npt.NDArray[np.float32], y: npt.NDArray[np.float32], z: npt.NDArray[np.float32], seuils: npt.NDArray[np.float32]
) -> UInt64s:
    """The cell key of each profil from its unit vector and the squared chord of its radius."""
    classes = np.searchsorted(_SEUILS, seuils.astype(np.float64), side="left")
    size = np.array(CLASSES_KM, dtype=np.float64)[classes] / 2
    x64, y64, z64 = x.astype(np.float64), y.astype(np.float64), z.astype(np.float64)
    lat = np.degrees(np.arctan2(z64, np.hypot(x64, y64)))
    lon = np.degrees(np.arctan2(y64, x64))
    rows = np.floor((lat + 90) * _KM_PAR_DEGRE / size)
    parallels = np.maximum(np.cos(np.radians((rows + 0.5) * size / _KM_PAR_DEGRE - 90)), 0.0)
    cols = np.floor((lon + 180) * _KM_PAR_DEGRE * parallels / size)
    keys: UInt64s = (classes.astype(np.uint64) << np.uint64(_ROW_BITS + _COL_BITS)) | (
        (rows.astype(np.uint64) << np.uint64(_COL_BITS)) | cols.astype(np.uint64)
    )
    return keys


def everywhere() -> Ranges:
    """All cells, for an annonce that can be done remotely."""
    return Ranges(np.array([0], dtype=np.uint64), np.array([(1 << _CELL_BITS) - 1], dtype=np.uint64))


def around(lat: float, lon: float) -> Ranges:
    """The cells, in every class, of the profils whose radius may reach (lat, lon)."""
    low: list[int] = []
    high: list[int] = []
    for number, rayon in enumerate(CLASSES_KM):
        size = rayon / 2
        reach_km = rayon + _MARGE_KM
        reach_deg = reach_km / _KM_PAR_DEGRE
        first = max(0, math.floor((lat + 90 - reach_deg) * _KM_PAR_DEGRE / size))
        last = math.floor((min(lat + reach_deg, 90.0) + 90) * _KM_PAR_DEGRE / size)
        width = _half_width_deg(lat, reach_deg)
        whole = width is None or lon - width < -180 or lon + width > 180
        for row in range(first, last + 1):
            base = (number << (_ROW_BITS + _COL_BITS)) | (row << _COL_BITS)
            if whole or width is None:
                low.append(base)
                high.append(base | _COL_MAX)
                continue
            parallel = max(math.cos(math.radians((row + 0.5) * size / _KM_PAR_DEGRE - 90)), 0.0)
            low.append(base | math.floor((lon - width + 180) * _KM_PAR_DEGRE * parallel / size))
            high.append(base | math.floor((lon + width + 180) * _KM_PAR_DEGRE * parallel / size))
    return Ranges(np.array(low, dtype=np.uint64), np.array(high, dtype=np.uint64))


def _half_width_deg(lat: float, reach_deg: float) -> float | None:
    """Half of the width of a circle, in degrees of longitude; None when the circle contains a pole."""
    if abs(lat) + reach_deg >= 90:
        return None
    return math.degrees(math.asin(min(1.0, math.sin(math.radians(reach_deg)) / math.cos(math.radians(lat)))))
