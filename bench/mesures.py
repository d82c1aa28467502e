"""Computes figures from samples."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Resume:
    """Figures in milliseconds."""

    mediane: float
    p99: float
    nombre: int

    @classmethod
    def de(cls, echantillons_ms: Sequence[float]) -> "Resume":
        rangs = sorted(echantillons_ms)
        # Nearest rank: with fewer than 100 samples this is the largest one.
        p99 = rangs[min(len(rangs) - 1, round(0.99 * len(rangs)))]
        return cls(round(statistics.median(rangs), 1), round(p99, 1), len(rangs))


def rapport(a: Sequence[float], b: Sequence[float]) -> float:
    """The median of the ratios of each round. Both values of a round were measured side by side, so a machine that
    slows down between rounds does not change it."""
    return round(statistics.median(x / y for x, y in zip(a, b, strict=True)), 2)
