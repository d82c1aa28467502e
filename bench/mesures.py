"""How figures are drawn from samples."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Resume:
    """Milliseconds."""

    mediane: float
    p99: float
    nombre: int

    @classmethod
    def de(cls, echantillons_ms: Sequence[float]) -> "Resume":
        rangs = sorted(echantillons_ms)
        # The nearest rank: with fewer than 100 samples this is the largest.
        p99 = rangs[min(len(rangs) - 1, round(0.99 * len(rangs)))]
        return cls(round(statistics.median(rangs), 1), round(p99, 1), len(rangs))


def rapport(a: Sequence[float], b: Sequence[float]) -> float:
    """The median of what each round says, which a machine that slows down between rounds does not change. Both were
    measured in the same rounds, side by side."""
    return round(statistics.median(x / y for x, y in zip(a, b, strict=True)), 2)
