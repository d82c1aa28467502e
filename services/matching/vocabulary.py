"""Codes as bits, so that lists of codes become integers in a column."""

from collections.abc import Iterable


class VocabularyFull(ValueError):
    """More distinct codes than bits: codes that no reference list knows have filled the column."""


class Vocabulary:
    """Code → bit, known codes first; a code that a newer writer added gets a spare bit when a profil brings it."""

    def __init__(self, name: str, codes: Iterable[str], bits: int) -> None:
        self._name = name
        self._capacity = bits
        self._bits = {code: number for number, code in enumerate(codes)}
        if len(self._bits) > bits:
            raise VocabularyFull(f"{name}: {len(self._bits)} codes for {bits} bits")

    def learn(self, codes: Iterable[str]) -> int:
        """The mask of `codes`; new ones get a bit. Raises VocabularyFull."""
        mask = 0
        for code in codes:
            number = self._bits.get(code)
            if number is None:
                number = len(self._bits)
                if number >= self._capacity:
                    raise VocabularyFull(f"{self._name}: no bit left for {code!r}")
                self._bits[code] = number
            mask |= 1 << number
        return mask

    def bits(self, codes: Iterable[str]) -> dict[str, int]:
        """Code → bit number of those of `codes` that some profil may have, once each, in their order."""
        return {code: self._bits[code] for code in codes if code in self._bits}

    def __len__(self) -> int:
        return len(self._bits)
