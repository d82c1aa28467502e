"""In-memory index of the profils: columns, and postings by category and grid cell. Finds whom an annonce concerns, best
match first.

A profil has a slot, which is never overwritten while a search can see it. Postings are immutable and cover the slots
known at the last rebuild (the base). Slots added since are in the delta, which every search scans completely; removed
slots are marked dead. A rebuild is prepared in a thread and then swapped in. Memory per profil: about 50 bytes of
columns and 12 of postings, plus two ids and the dictionary entry.

Public methods are thread-safe. One lock protects the columns; a search holds it only while it reads them.
"""

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from contracts.annonces import Annonce
from contracts.commun import Nature, Sens
from contracts.matching import Destinataire, Profil
from services.matching import grid
from services.matching.query import EXIGE_MINEURS, EXIGE_PMR, Query, Vocabularies
from services.matching.scoring import seuil, vecteur

Slots = npt.NDArray[np.uint32]
Rows = npt.NDArray[Any]

ROW = np.dtype(
    [
        ("x", "f4"),
        ("y", "f4"),
        ("z", "f4"),
        ("seuil", "f4"),
        ("categories", "u8"),
        ("creneaux", "u4"),
        ("domaines", "u4"),
        ("certifications", "u4"),
        ("version", "u4"),
        ("natures", "u1"),
        ("sens", "u1"),
        ("a_distance", "u1"),
        ("exigences", "u1"),
        ("vivant", "u1"),
    ]
)
_SENS = {Sens.BESOIN: 0, Sens.OFFRE: 1}
_NATURES = {nature: 1 << number for number, nature in enumerate(Nature)}
_DELTA_MIN = 4096


@dataclass(frozen=True)
class Postings:
    """Postings: `slots[starts[i]:starts[i + 1]]` are the slots of `keys[i]`; keys are unique and ascending."""

    keys: npt.NDArray[np.uint64]
    starts: npt.NDArray[np.int64]
    slots: Slots


@dataclass(frozen=True)
class Rebuild:
    """A base prepared from a snapshot: length of the delta, and dead slots, at that moment."""

    base: Postings
    delta_seen: int
    dead: Slots


def _empty() -> Postings:
    return Postings(np.empty(0, np.uint64), np.zeros(1, np.int64), np.empty(0, np.uint32))


class Index:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._vocabularies = Vocabularies()
        self._rows: Rows = np.zeros(1024, dtype=ROW)
        self._used = 0
        self._profils: list[str] = []
        self._comptes: list[str] = []
        self._slot_of: dict[str, int] = {}
        # Last version of each removed profil: an older event must not add it again.
        self._gone: dict[str, int] = {}
        self._base = _empty()
        self._posted = 0
        self._delta: list[int] = []
        self._free: list[int] = []

    def __len__(self) -> int:
        """Number of profils that can be found."""
        return len(self._slot_of)

    def __contains__(self, profil_id: object) -> bool:
        """Whether the profil can be found."""
        return profil_id in self._slot_of

    @property
    def wants_rebuild(self) -> bool:
        """True when the delta is so long that scanning it takes longer than searching the base."""
        return len(self._delta) > max(_DELTA_MIN, self._posted // 16)

    def upsert(self, profil: Profil) -> bool:
        """Adds or replaces a profil, or removes it when it is inactive. Returns False when this version or a newer one
        is known.

        Raises VocabularyFull when there is no bit left for its codes, OverflowError when its version does not fit. The
        index is unchanged then.
        """
        if not profil.actif:
            return self.remove(profil.profil_id, profil.version)
        x, y, z = vecteur(profil.lieu.lat, profil.lieu.lon)
        with self._lock:
            if self._is_stale(profil.profil_id, profil.version):
                return False
            row = (
                x,
                y,
                z,
                seuil(profil.rayon_km),
                self._vocabularies.categories.learn(profil.categories),
                self._vocabularies.creneaux.learn(profil.creneaux),
                self._vocabularies.domaines.learn(profil.domaines),
                self._vocabularies.certifications.learn(profil.certifications),
                profil.version,
                sum({_NATURES[nature] for nature in profil.natures}),
                _SENS[profil.sens],
                profil.a_distance,
                EXIGE_MINEURS * profil.mineur | EXIGE_PMR * profil.pmr,
                1,
            )
            # Built before anything is changed, because it raises when a number does not fit.
            made = np.array(row, dtype=ROW)
            self._kill(profil.profil_id)
            slot = self._allocate()
            self._rows[slot] = made
            self._profils[slot] = profil.profil_id
            self._comptes[slot] = profil.compte_id
            self._slot_of[profil.profil_id] = slot
            self._gone.pop(profil.profil_id, None)
            self._delta.append(slot)
        return True

    def remove(self, profil_id: str, version: int) -> bool:
        """Removes the profil. Returns False when this version or a newer one is known."""
        with self._lock:
            if self._is_stale(profil_id, version):
                return False
            self._kill(profil_id)
            self._gone[profil_id] = version
        return True

    def search(self, annonce: Annonce) -> list[Destinataire]:
        """The people whom `annonce` concerns, best first: the same result as scoring.correspond for each profil, sorted
        by scoring.ordre."""
        if annonce.sans_alerte:
            return []
        query = Query(annonce, self._vocabularies, _SENS[annonce.sens], _NATURES[annonce.nature])
        with self._lock:
            slots = np.concatenate([self._posted_slots(query), np.array(self._delta, dtype=np.uint32)])
            found = query.select(self._rows, slots)
            profils = [self._profils[slot] for slot in found.slots.tolist()]
            comptes = [self._comptes[slot] for slot in found.slots.tolist()]
        return query.destinataires(found, profils, comptes)

    def rebuild(self) -> None:
        """Prepares a rebuild and swaps it in."""
        self.swap(self.prepare())

    def prepare(self) -> Rebuild:
        """Sorts the living slots into new postings. Slow, so it runs in a thread; only one rebuild at a time."""
        with self._lock:
            rows, used, delta_seen = self._rows, self._used, len(self._delta)
            alive = rows["vivant"][:used] == 1
            # Do not reuse dead slots until the swap: this snapshot must not change while it is sorted.
            self._free = []
        slots = np.flatnonzero(alive).astype(np.uint32)
        return Rebuild(_postings(rows, slots), delta_seen, np.flatnonzero(~alive).astype(np.uint32))

    def swap(self, rebuild: Rebuild) -> None:
        """Replaces the base with a prepared one; fast."""
        with self._lock:
            self._base = rebuild.base
            self._posted = self._used - len(rebuild.dead)
            self._delta = self._delta[rebuild.delta_seen :]
            self._free = rebuild.dead.tolist()

    def _is_stale(self, profil_id: str, version: int) -> bool:
        slot = self._slot_of.get(profil_id)
        known = self._gone.get(profil_id, 0) if slot is None else int(self._rows["version"][slot])
        return version <= known

    def _kill(self, profil_id: str) -> None:
        slot = self._slot_of.pop(profil_id, None)
        if slot is not None:
            self._rows["vivant"][slot] = 0

    def _allocate(self) -> int:
        if self._free:
            return self._free.pop()
        if self._used == len(self._rows):
            grown = np.zeros(len(self._rows) * 2, dtype=ROW)
            grown[: self._used] = self._rows
            self._rows = grown
        self._profils.append("")
        self._comptes.append("")
        self._used += 1
        return self._used - 1

    def _posted_slots(self, query: Query) -> Slots:
        """The slots of every key that may match the query; may contain duplicates."""
        low = (query.prefixes[:, None] | query.ranges.low[None, :]).ravel()
        high = (query.prefixes[:, None] | query.ranges.high[None, :]).ravel()
        first = self._base.starts[np.searchsorted(self._base.keys, low, side="left")]
        after = self._base.starts[np.searchsorted(self._base.keys, high, side="right")]
        return _gather(self._base.slots, first, after)


def _gather(slots: Slots, first: npt.NDArray[np.int64], after: npt.NDArray[np.int64]) -> Slots:
    """Concatenates `slots[first[i]:after[i]]` for all i."""
    lengths = after - first
    total = int(lengths.sum())
    ends = np.cumsum(lengths)
    positions = np.arange(total) + np.repeat(first - (ends - lengths), lengths)
    found: Slots = slots[positions]
    return found


def _postings(rows: Rows, slots: Slots) -> Postings:
    """Postings of the living slots: one per category of the profil, or one under "any"."""
    living = rows[slots]
    cells = grid.cells(living["x"], living["y"], living["z"], living["seuil"])
    categories = living["categories"]
    keys: list[npt.NDArray[np.uint64]] = []
    owners: list[Slots] = []
    for sens in _SENS.values():
        same = living["sens"] == sens
        for category in range(-1, 64):
            chosen = same & (
                (categories == 0) if category < 0 else (categories >> np.uint64(category)) & np.uint64(1) == 1
            )
            if chosen.any():
                keys.append(cells[chosen] | np.uint64(grid.prefix(sens, category)))
                owners.append(slots[chosen])
    if not keys:
        return _empty()
    all_keys, all_slots = np.concatenate(keys), np.concatenate(owners)
    order = np.argsort(all_keys, kind="stable")
    unique, starts = np.unique(all_keys[order], return_index=True)
    return Postings(unique, np.append(starts, len(order)).astype(np.int64), all_slots[order])
